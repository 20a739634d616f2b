"""Files of weights that a trial names: reading them, and pinning them by their SHA-256."""

import dataclasses
import hashlib
import pickle
import re
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from suite.errors import RequestError, first_line
from suite.files.paths import resolved
from suite.files.reading import LARGEST_WEIGHTS, FileContentError, check_regular
from suite.networks.tensor_files import check_finite, check_whole, read_tensors
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
            state: object = dict(sorted(read_tensors(path).items(), key=lambda item: _natural(item[0])))
        else:
            state = _unpickled(path)
    except (FileNotFoundError, FileContentError) as error:
        raise _unreadable(path, error) from None
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
    try:
        check_whole(tensors)
        check_finite(tensors)
    except FileContentError as error:
        raise _unreadable(path, error) from None
    return tensors


def _unpickled(path: Path) -> object:
    """Read a file of ``torch.save`` with ``weights_only=True``, which makes tensors and plain containers only.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It cannot be read so, or unpacks beyond the limit.
    """
    check_regular(path, LARGEST_WEIGHTS)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > LARGEST_WEIGHTS:
                raise FileContentError(
                    f"it unpacks to {unpacked:,} bytes, over the limit of {LARGEST_WEIGHTS:,}"
                )
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileContentError:
        raise
    except pickle.UnpicklingError:  # PyTorch's own message says how to read the file without this protection
        raise FileContentError("it holds something else than tensors and plain containers") from None
    except Exception as error:  # the unpickler raises nearly anything for damaged bytes
        raise FileContentError(first_line(error)[:160]) from None


def _unreadable(path: Path, error: Exception) -> RequestError:
    reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
    return RequestError(
        f"{path} cannot be read as weights ({reason}); name a .safetensors file, or a state dict that "
        "torch.save wrote and torch.load reads with weights_only=True"
    )


def pin_weight_files(config: TrialConfig) -> TrialConfig:
    """Return the configuration with absolute paths of its weight files, and with their SHA-256.

    Raises:
        RequestError: A file is missing, or does not have the SHA-256 that the configuration gives.
    """
    found: dict[str, str] = {}
    for field in WEIGHT_FIELDS:
        name, expected = getattr(config, field), getattr(config, f"{field}_sha256")
        if name is not None:
            path = resolved(name)
            found |= {field: str(path), f"{field}_sha256": _checked_sha256(field, path, expected)}
    return dataclasses.replace(config, **found)  # type: ignore[arg-type]


def _checked_sha256(field: str, path: Path, expected: str | None) -> str:
    """SHA-256 of the file that a field names, which must be the expected one, if one is given."""
    try:
        check_regular(path, LARGEST_WEIGHTS)
        found = sha256_of(path)
    except (OSError, FileContentError) as error:
        reason = (error.strerror or "No such file or directory") if isinstance(error, OSError) else error
        raise RequestError(
            f"{field} {path} cannot be read ({reason}); name a file of weights, {WEIGHT_FIELDS[field]}"
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
