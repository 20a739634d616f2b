"""Files of weights that a trial names: reading them, and pinning them by their SHA-256."""

import dataclasses
import hashlib
import pickle
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from suite.errors import RequestError
from suite.trial import TrialConfig

#: The keys under which files that hold more than weights keep the state dict.
NESTED_KEYS = ("state_dict", "model_state_dict", "model", "net", "network")
#: The fields of a trial that name a file of weights, and an example of such a file.
WEIGHT_FIELDS: Mapping[str, str] = {
    "backbone": "such as 'suite pretrain' writes",
    "pruned_from": "as of a run's weights/",
    "teacher": "as of a run's weights/",
}


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the state dict of a file to the CPU, in the order of its layers, executing nothing in it.

    Safetensors files keep no order, so their names are sorted naturally (features.9 before features.10).

    Raises:
        RequestError: The file is missing, or holds no tensors by name.
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
    for key in NESTED_KEYS:
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


def pin_weight_files(config: TrialConfig) -> TrialConfig:
    """Return the configuration with absolute paths of its weight files, and with their SHA-256.

    Raises:
        RequestError: A file is missing, or does not have the SHA-256 that the configuration gives.
    """
    found: dict[str, str] = {}
    for field in WEIGHT_FIELDS:
        name, expected = getattr(config, field), getattr(config, f"{field}_sha256")
        if name is not None:
            path = Path(name).resolve()
            found |= {field: str(path), f"{field}_sha256": _checked_sha256(field, path, expected)}
    return dataclasses.replace(config, **found)  # type: ignore[arg-type]


def _checked_sha256(field: str, path: Path, expected: str | None) -> str:
    """SHA-256 of the file that a field names, which must be the expected one, if one is given."""
    try:
        found = sha256_of(path)
    except OSError as error:
        raise RequestError(
            f"{field} {path} cannot be read ({error.strerror}); name a file of weights, {WEIGHT_FIELDS[field]}"
        ) from None
    if expected not in (None, found):
        raise RequestError(
            f"{field} {path} has the SHA-256 {found[:12]}..., not {str(expected)[:12]}... as "
            f"{field}_sha256 says; put the old file back, or leave {field}_sha256 out"
        )
    return found


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Raises:
        OSError: The file cannot be read.
    """
    return _sha256(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _sha256(path: Path, modified_ns: int) -> str:
    """Cache the digest of a file until its time of modification changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:160]
