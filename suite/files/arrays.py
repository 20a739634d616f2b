"""Arrays in files of numpy's format, mapped into memory only where the disk has them whole."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np

from suite.errors import first_line
from suite.files.reading import FileContentError, check_regular

#: Errors of a file system that cannot reserve space.
NO_RESERVATION = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
#: Images of a larger file than this cannot be addressed.
LARGEST_FILE = 2**63 - 1
#: The header of an array of numbers has about a hundred.
LARGEST_HEADER = 10_000  # bytes


def new_array(path: Path, shape: tuple[int, ...]) -> "np.memmap[tuple[int, ...], np.dtype[np.uint8]]":
    """Create a uint8 array in a file and map it, to be written.

    The space is reserved first, because a write to a memory map on a full disk kills the process without a message.

    Raises:
        OSError: There is no space for the file, or it cannot be created.
    """
    with path.open("wb") as file:
        header: dict[str, Any] = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + int(np.prod(shape, dtype=np.int64)))
    return _to_write(path)


def reopened_array(path: Path, shape: tuple[int, ...]) -> "np.memmap[tuple[int, ...], np.dtype[np.uint8]]":
    """Map an array that ``new_array`` made, to write more of it.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It is no uint8 array of this shape.
        OSError: There is no space for what is not written yet.
    """
    read_array(path, shape)  # mode "r" refuses a file that is too short, which "r+" would extend
    return _to_write(path)


def read_array(path: Path, shape: tuple[int, ...]) -> "np.memmap[tuple[int, ...], np.dtype[np.uint8]]":
    """Map a uint8 array that is expected to have a shape, read-only.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It is no such array.
    """
    check_regular(path, LARGEST_FILE)
    try:
        _check_header(path)
        # Unlike np.load this reads no zip and no pickle.
        found = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, TypeError, OverflowError, EOFError, MemoryError) as error:
        raise FileContentError(getattr(error, "strerror", None) or first_line(error)) from None
    if found.dtype == np.uint8 and found.shape == shape and not found.flags.c_contiguous:
        raise FileContentError(
            "its numbers are in the order of Fortran; numpy.ascontiguousarray puts them right"
        )
    if found.dtype != np.uint8 or found.shape != shape:
        raise FileContentError(
            f"it holds {found.dtype} {_sizes(found.shape)} instead of uint8 {_sizes(shape)}"
        )
    return found


def _check_header(path: Path) -> None:
    """Refuse a header that claims to be long: numpy reads up to 4 GB of it before it looks at the length."""
    with path.open("rb") as file:
        version, _ = np.lib.format.read_magic(file)
        claimed = int.from_bytes(file.read(2 if version == 1 else 4), "little")
    if claimed > LARGEST_HEADER:
        raise ValueError(f"its header claims {claimed:,} bytes, over the limit of {LARGEST_HEADER:,}")


def _to_write(path: Path) -> "np.memmap[tuple[int, ...], np.dtype[np.uint8]]":
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in NO_RESERVATION:
                raise
    return np.lib.format.open_memmap(path, mode="r+")


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))[:100] or "scalars"
