"""Limits on what a file or an archive may make the suite read, and the errors that damaged archives raise."""

import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from suite.errors import RequestError
from suite.files.reading import open_at_once

#: No face image and no table of labels is larger. The limit keeps a forged archive from filling the memory.
LARGEST_FILE = 100_000_000  # bytes

#: The start of the text that a clone without Git LFS has in the place of a large file.
GIT_LFS_POINTER = b"version https://git-lfs"

#: What zipfile, tarfile and their decompressors raise for a damaged archive. RuntimeError is a missing
#: password, NotImplementedError an unknown compression.
DAMAGE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    struct.error,
    RuntimeError,
    NotImplementedError,
)


class UnreadableFileError(Exception):
    """A file that cannot be read; the message is the reason, for ``skipped.csv``."""


def check_size(size: int) -> None:
    """Refuse a file of more than ``LARGEST_FILE`` bytes.

    Raises:
        UnreadableFileError: The file is larger.
    """
    if size > LARGEST_FILE:
        raise UnreadableFileError(f"the file has {size:,} bytes, over the limit of {LARGEST_FILE:,}")


def check_content(content: bytes) -> bytes:
    """Return the content of a file, unless it only points to it.

    Raises:
        UnreadableFileError: It is a pointer of Git LFS.
    """
    if content.startswith(GIT_LFS_POINTER):
        raise UnreadableFileError(
            "it is a pointer of Git LFS, not the file; get the file with 'git lfs pull'"
        )
    return content


def read_file(path: Path) -> bytes:
    """Read a regular file of at most ``LARGEST_FILE`` bytes.

    A pipe would block the reader, and a device or a sparse file fill the memory.

    Raises:
        UnreadableFileError: It is something else, larger, missing or closed to this user.
    """
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise UnreadableFileError("it is a folder")
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableFileError("it is not a regular file")
        check_size(found.st_size)
        with open_at_once(path) as file:  # it may have become a pipe since then
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a table names a file with a null byte in it
        raise UnreadableFileError(getattr(error, "strerror", None) or str(error)) from None
    check_size(len(content))
    return content


def check_member_names(path: Path, members: Sequence[str]) -> None:
    """Refuse an archive with a member that would be unpacked outside its folder (path traversal).

    Raises:
        RequestError: A member has an absolute path, or one with "..".
    """
    for name in members:
        posix, windows = PurePosixPath(name), PureWindowsPath(name)
        if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
            raise RequestError(
                f"{path} has a member {name[:100]!r} that lies outside of the archive, as no published set has; "
                "get the set again from its owner"
            )
