"""MATLAB files (v5), unpacked within a limit, because a few bytes of them can stand for any number."""

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from suite.data.readers.matlab_claims import MATRIX, FalseClaimError, MatElements
from suite.data.readers.tables import missing_extra
from suite.errors import RequestError

#: Several times the unpacked size of the table of CACD2000.
LARGEST_UNPACKED = 500_000_000  # bytes
_HEADER = 128  # bytes
_COMPRESSED = 15  # the type of an element that holds a deflated variable


class UnreadableMatError(Exception):
    """The bytes are not a MATLAB v5 file; the message is the reason."""


def load_mat(
    content: bytes, name: str, path: Path, page: str, variable: str | None = None
) -> Mapping[str, Any]:
    """Load the variables of a MATLAB v5 file, structs as mappings.

    Args:
        content: The file.
        name: Its name, for errors.
        path: The path of the set, for errors.
        page: The address of the set, for errors.
        variable: The only variable to load; None loads all.

    Raises:
        RequestError: scipy is not installed, or the file is damaged or unpacks to too much.
    """
    try:
        return read_mat(content, variable)
    except ImportError:
        raise missing_extra(f"{name} of {path} is a MATLAB file") from None
    except UnreadableMatError as error:
        raise RequestError(
            f"{name} of {path} is not a readable MATLAB v5 file ({error}); get the set again from {page}"
        ) from None


def read_mat(content: bytes, variable: str | None = None) -> Mapping[str, Any]:
    """Read the variables of a MATLAB v5 file, structs as mappings; ``variable`` limits them to one.

    Raises:
        ImportError: scipy is not installed.
        UnreadableMatError: The file is damaged, or unpacks to more than the limit.
    """
    from scipy.io import loadmat

    inflated = _inflated(content)
    _check_claims(inflated)
    try:
        loaded: Mapping[str, Any] = loadmat(
            io.BytesIO(inflated), variable_names=[variable] if variable else None, simplify_cells=True
        )
    # A damaged file can make scipy raise nearly anything (ValueError, TypeError, struct.error).
    except Exception as error:
        raise UnreadableMatError(type(error).__name__) from None
    return {name: value for name, value in loaded.items() if not name.startswith("__")}


def _order(content: bytes) -> str:
    """The order of the bytes, as for ``struct``."""
    if content[126:128] == b"MI":
        return ">"
    if content[126:128] == b"IM":
        return "<"
    raise UnreadableMatError("it has another header")


def _check_claims(inflated: bytes) -> None:
    """Refuse a file whose variables claim more than their bytes can hold."""
    elements, at = MatElements(inflated, _order(inflated)), _HEADER
    while at + 8 <= len(inflated):
        kind, length = struct.unpack_from(f"{elements.order}II", inflated, at)
        if kind != MATRIX or at + 8 + length > len(inflated):
            raise UnreadableMatError("it is damaged")
        try:
            elements.check_matrix(at + 8, at + 8 + length)
        except (FalseClaimError, struct.error) as error:
            raise UnreadableMatError(str(error)) from None
        at += 8 + length


def _inflated(content: bytes) -> bytes:
    """The file with its deflated elements inflated, so that scipy inflates nothing."""
    order = _order(content)
    parts, at, size = [content[:_HEADER]], _HEADER, _HEADER
    while at + 8 <= len(content):
        kind, length = struct.unpack_from(f"{order}II", content, at)
        element = content[at : at + 8 + length]
        if kind == _COMPRESSED:
            inflate = zlib.decompressobj()
            try:
                element = inflate.decompress(element[8:], LARGEST_UNPACKED - size + 1)
            except zlib.error as error:
                raise UnreadableMatError(str(error)) from None
            # Scipy would inflate an element of another type without a limit.
            if element[:4] != struct.pack(f"{order}I", MATRIX):
                raise UnreadableMatError("a deflated element is not a variable")
        size += len(element)
        if size > LARGEST_UNPACKED:
            raise UnreadableMatError(f"it unpacks to more than {LARGEST_UNPACKED:,} bytes")
        parts.append(element)
        at += 8 + length
    return b"".join(parts)
