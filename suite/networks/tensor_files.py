"""Safetensors files from outside: what the header claims is checked before a tensor is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from suite.errors import first_line
from suite.files.reading import LARGEST_WEIGHTS, FileContentError, check_regular

LARGEST_HEADER = 10_000_000  # bytes
Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorHeader:
    """The header of a safetensors file.

    Attributes:
        metadata: Its entries of text.
        shapes: The shape of each tensor, by name.
    """

    metadata: Mapping[str, str]
    shapes: Mapping[str, Shape]


def read_header(path: Path) -> TensorHeader:
    """Read the header of a safetensors file.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It is not a regular file, too large, closed to this user, or no safetensors file.
    """
    check_regular(path, LARGEST_WEIGHTS)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > LARGEST_HEADER:
            raise FileContentError(
                f"its header claims {length:,} bytes, over the limit of {LARGEST_HEADER:,}"
            )
        with safe_open(path, framework="pt") as tensors:
            shapes = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
            return TensorHeader(tensors.metadata() or {}, shapes)
    except (SafetensorError, OSError, ValueError) as error:
        raise FileContentError(getattr(error, "strerror", None) or first_line(error)) from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file to the CPU, by name.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: As for ``read_header``, or a value is infinite or not a number.
    """
    read_header(path)
    try:
        tensors: dict[str, Tensor] = load_file(path)
    # Such as a type of number that this version of PyTorch does not have, or too little memory.
    except (
        SafetensorError,
        OSError,
        ValueError,
        RuntimeError,
        LookupError,
        AttributeError,
        MemoryError,
    ) as error:
        raise FileContentError(getattr(error, "strerror", None) or first_line(error)) from None
    check_finite(tensors)
    return tensors


def check_shapes(found: Mapping[str, Shape], expected: Mapping[str, Shape]) -> None:
    """Compare the tensors of a file with those of the network that its description names.

    Raises:
        FileContentError: A tensor is missing, is not the network's, or has another shape.
    """
    for name, shape in expected.items():
        if name not in found:
            raise FileContentError(f"it has no tensor {name!r}, which the network that it describes has")
        if found[name] != shape:
            raise FileContentError(
                f"its tensor {name!r} is {_text(found[name])}, and {_text(shape)} in the network that it describes"
            )
    if further := sorted(set(found) - set(expected)):
        raise FileContentError(
            f"it has a tensor {further[0][:80]!r}, which the network that it describes has not"
        )


def check_whole(tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that claim more values than the file holds, as a forged stride does.

    Raises:
        FileContentError: There is such a tensor.
    """
    for name, tensor in tensors.items():
        is_plain = tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
        if not is_plain or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise FileContentError(f"its tensor {name[:80]!r} does not hold all of its values")


class NotFiniteError(FileContentError):
    """A tensor holds a value that is infinite or not a number."""


def check_finite(tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors with a value that is infinite or not a number: no training leaves them.

    Raises:
        NotFiniteError: There is such a value.
    """
    if (name := first_not_finite(tensors)) is not None:
        raise NotFiniteError(f"its tensor {name[:80]!r} holds a value that is infinite or not a number")


def first_not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first tensor with a value that is infinite or not a number; None where all are finite."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
            return name
    return None


def _text(shape: Shape) -> str:
    return " x ".join(map(str, shape[:8])) or "a single number"
