"""Backbones: the weights of a network trained elsewhere, matched to a new network by shape and order.

A backbone is everything but the output layer. Networks published elsewhere name their layers differently, so
layers are matched in order: each convolution, normalisation or linear layer takes the next one of its kind that
has exactly its shapes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from suite.errors import RequestError
from suite.printable import printable
from suite.training.weight_files import read_state

#: The output layer of every network here. It is left out because another training has another task.
HEAD = "head."
#: A batch norm's count of batches. It is not used at a fixed momentum, and older files lack it.
UNUSED = "num_batches_tracked"


@dataclass(frozen=True)
class Layer:
    """The tensors of one layer, by the ending of their names: weight, bias, running_mean, running_var."""

    name: str
    tensors: Mapping[str, Tensor]

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The endings and shapes that must agree, sorted by ending."""
        return tuple((ending, tuple(tensor.shape)) for ending, tensor in sorted(self.tensors.items()))

    @property
    def size(self) -> int:
        """The number of values in all tensors."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    def __str__(self) -> str:
        return f"{self.name} ({', '.join('x'.join(map(str, shape)) or '1' for _, shape in self.shapes)})"


@dataclass(frozen=True)
class Transfer:
    """The layers that a network took from a file, and those on either side without a match; printable."""

    file: str
    taken: tuple[tuple[str, str], ...]  # layer of the file, layer of the network
    kept: tuple[str, ...]  # layers of the network that stay as they were; the output layer is not listed
    left: tuple[str, ...]  # layers of the file that were not taken
    share: float  # of the values in the network's backbone that were taken, 0..1

    def __str__(self) -> str:
        total = len(self.taken) + len(self.kept)
        lines = [f"{self.file}: {len(self.taken)} of {total} layers taken, {self.share:.1%} of the backbone"]
        lines += [f"  {_shown(source)} -> {target}" for source, target in self.taken]
        lines += [f"  freshly initialised: {name}" for name in self.kept]
        lines += [f"  left in the file: {_shown(name)}" for name in self.left]
        return "\n".join(lines)


def start_from(network: nn.Module, path: Path) -> Transfer:
    """Copy the layers of a file that fit into a network's backbone; the output layer stays as it is.

    Args:
        network: One of ``suite.networks``; it is changed.
        path: A safetensors file, or a state dict that ``torch.save`` wrote.

    Raises:
        RequestError: The file cannot be read, or none of its layers fits.
    """
    backbone = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(HEAD)}
    wanted = layers_of(backbone)
    offered = layers_of(read_state(path))
    pairs = match_layers(offered, wanted)
    if not pairs:
        raise RequestError(
            f"no layer of {path} has the shapes of a layer of this network (the first are "
            f"{_shown(offered[0]) if offered else 'none'} there and {wanted[0]} here); choose network, widths and "
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
        share=sum(target.size for _, target in pairs) / sum(layer.size for layer in wanted),
    )


def match_layers(offered: Sequence[Layer], wanted: Sequence[Layer]) -> list[tuple[Layer, Layer]]:
    """Pair offered and wanted layers of equal shapes, in the order of the wanted ones.

    If every wanted layer is offered under its own name, names decide, because the file is of this network.
    Otherwise layers are matched kind by kind. Layers with the same name endings and numbers of dimensions are
    of one kind, so a file that lists all convolutions before all normalisations is matched as well. A wanted
    layer takes the next offered layer of its shapes after the last one that its kind has taken.
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
    """Group a state dict by layer, in the order of their first tensors."""
    grouped: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        stem, _, ending = name.rpartition(".")
        if ending != UNUSED:
            grouped.setdefault(stem, {})[ending] = tensor
    return [Layer(name, tensors) for name, tensors in grouped.items()]


def _shown(name: object) -> str:
    """Return the name of a layer in somebody else's file, for a terminal."""
    return printable(name)[:200]


def _kind(layer: Layer) -> object:
    return tuple((ending, len(shape)) for ending, shape in layer.shapes)
