"""Weights to start from: a file of a network trained elsewhere, matched by shape and order.

A backbone is everything but the output layer. Layers are matched rather than names, because names are
what networks published elsewhere do not share: going through both networks in order, each convolution,
normalisation or linear layer takes the next one of its kind that has exactly its shapes.
"""

import dataclasses
import hashlib
import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from suite.errors import RequestError
from suite.trial import TrialConfig

#: The output layer of every network here; it answers another question in another training.
HEAD = "head."
#: Counts the batches seen; nothing is computed from it at a fixed momentum, and older files lack it.
UNUSED = "num_batches_tracked"
#: Where files that hold more than weights keep them.
WRAPPINGS = ("state_dict", "model_state_dict", "model", "net", "network")


@dataclass(frozen=True)
class Layer:
    """The tensors of one layer, by what its names end in: weight, bias, running_mean, running_var."""

    name: str
    tensors: Mapping[str, Tensor]

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """What must agree: the name endings and shapes, in the order of the endings."""
        return tuple((ending, tuple(tensor.shape)) for ending, tensor in sorted(self.tensors.items()))

    @property
    def numbers(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    def __str__(self) -> str:
        return f"{self.name} ({', '.join('x'.join(map(str, shape)) or '1' for _, shape in self.shapes)})"


@dataclass(frozen=True)
class Transfer:
    """What a network took from a file, and what on either side found no partner; printable."""

    file: str
    taken: tuple[tuple[str, str], ...]  # layer of the file, layer of the network
    kept: tuple[str, ...]  # layers of the network, but its output layer, that stay as they were
    left: tuple[str, ...]  # layers of the file that nothing took
    share: float  # of the numbers in the network's backbone that were taken, 0..1

    def __str__(self) -> str:
        total = len(self.taken) + len(self.kept)
        lines = [f"{self.file}: {len(self.taken)} of {total} layers taken, {self.share:.1%} of the backbone"]
        lines += [f"  {source} -> {target}" for source, target in self.taken]
        lines += [f"  freshly initialised: {name}" for name in self.kept]
        lines += [f"  left in the file: {name}" for name in self.left]
        return "\n".join(lines)


def start_from(network: nn.Module, path: Path) -> Transfer:
    """Fill a network's backbone, in place, with what fits of a file; the output layer stays.

    Args:
        network: one of ``suite.networks``.
        path: safetensors, or a state dict that ``torch.save`` wrote.

    Raises:
        RequestError: the file cannot be read, or none of its layers fits.
    """
    backbone = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(HEAD)}
    wanted = layers_of(backbone)
    offered = layers_of(read_state(path))
    pairs = matched(offered, wanted)
    if not pairs:
        raise RequestError(
            f"no layer of {path} has the shapes of a layer of this network (the first are "
            f"{offered[0] if offered else 'none'} there and {wanted[0]} here); choose network, widths and "
            "depths as the file has them"
        )
    with torch.no_grad():
        for source, target in pairs:
            for ending, tensor in target.tensors.items():
                tensor.copy_(source.tensors[ending])
    sources, targets = ({id(layer) for layer in side} for side in zip(*pairs, strict=True))
    return Transfer(
        file=str(path),
        taken=tuple((source.name, target.name) for source, target in pairs),
        kept=tuple(str(layer) for layer in wanted if id(layer) not in targets),
        left=tuple(str(layer) for layer in offered if id(layer) not in sources),
        share=sum(target.numbers for _, target in pairs) / sum(layer.numbers for layer in wanted),
    )


def matched(offered: Sequence[Layer], wanted: Sequence[Layer]) -> list[tuple[Layer, Layer]]:
    """Pairs of an offered and a wanted layer of equal shapes, in the wanted order.

    Where every wanted layer is offered under its own name, names decide: the file is of this network.
    Otherwise each set of name endings (with shapes of as many dimensions) is a kind of its own, so that
    a file that lists all convolutions before all normalisations is matched as well, and a wanted layer
    takes the next offered one of its shapes behind the last that its kind took.
    """
    by_name = {layer.name: layer for layer in offered}
    if all(layer.name in by_name and by_name[layer.name].shapes == layer.shapes for layer in wanted):
        return [(by_name[layer.name], layer) for layer in wanted]
    queues: dict[object, list[Layer]] = {}
    for layer in offered:
        queues.setdefault(_kind(layer), []).append(layer)
    pairs = []
    for target in wanted:
        queue = queues.get(_kind(target), [])
        position = next((i for i, source in enumerate(queue) if source.shapes == target.shapes), None)
        if position is not None:
            pairs.append((queue[position], target))
            del queue[: position + 1]
    return pairs


def layers_of(state: Mapping[str, Tensor]) -> list[Layer]:
    """A state dict as layers, in the order of their first tensors."""
    grouped: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        stem, _, ending = name.rpartition(".")
        if ending != UNUSED:
            grouped.setdefault(stem, {})[ending] = tensor
    return [Layer(name, tensors) for name, tensors in grouped.items()]


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict of a file, on the CPU, in the order of its layers; nothing in it is executed.

    safetensors keeps no order, so its names are put in natural order (features.9 before features.10).

    Raises:
        RequestError: the file is missing, or holds no tensors by name.
    """
    try:
        if path.suffix == ".safetensors":
            state: object = dict(sorted(load_file(path).items(), key=lambda item: _natural(item[0])))
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _first_line(error)
        raise RequestError(
            f"{path} cannot be read as weights ({reason}); name a .safetensors file, or a state dict that "
            "torch.save wrote and torch.load reads with weights_only=True"
        ) from None
    for key in WRAPPINGS:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    named = state.items() if isinstance(state, Mapping) else ()
    tensors = {str(name): tensor for name, tensor in named if isinstance(tensor, Tensor)}
    if not tensors:
        raise RequestError(
            f"{path} holds no tensors by name; save the network's state_dict() there, with torch.save or as "
            "safetensors"
        )
    return tensors


#: The fields of a trial that name a file of weights, and an example of what makes one.
FILES: Mapping[str, str] = {
    "backbone": "such as 'suite pretrain' writes",
    "pruned_from": "as of a run's weights/",
    "teacher": "as of a run's weights/",
}


def pinned(config: TrialConfig) -> TrialConfig:
    """The configuration with its files of weights made absolute and their fingerprints filled in.

    Raises:
        RequestError: a file is missing, or is not the one of the fingerprint that is given.
    """
    found: dict[str, str] = {}
    for field in FILES:
        name, known = getattr(config, field), getattr(config, f"{field}_sha256")
        if name is not None:
            path = Path(name).resolve()
            found |= {field: str(path), f"{field}_sha256": _fingerprint(field, path, known)}
    return dataclasses.replace(config, **found)  # type: ignore[arg-type]


def _fingerprint(field: str, path: Path, known: str | None) -> str:
    """SHA-256 of a file that a field names, which must be the one that is known, if one is."""
    try:
        found = sha256_of(path)
    except OSError as error:
        raise RequestError(
            f"{field} {path} cannot be read ({error.strerror}); name a file of weights, {FILES[field]}"
        ) from None
    if known not in (None, found):
        raise RequestError(
            f"{field} {path} has the SHA-256 {found[:12]}..., not {str(known)[:12]}... as "
            f"{field}_sha256 says; put the old file back, or leave {field}_sha256 out"
        )
    return found


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    return _sha256(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _sha256(path: Path, changed: int) -> str:
    """SHA-256 of a file in hexadecimal, read once for as long as it does not change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kind(layer: Layer) -> object:
    return tuple((ending, len(shape)) for ending, shape in layer.shapes)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:160]
