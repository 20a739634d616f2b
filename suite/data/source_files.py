"""The files of a set as its owner distributes it: a folder, or a zip that stays packed."""

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from suite.errors import RequestError

#: No face image is larger; keeps a forged zip from filling the memory.
LARGEST_FILE = 100_000_000  # bytes


class UnreadableFileError(Exception):
    """A file that cannot be read; the message is the reason, for ``skipped.csv``."""


class SourceFiles(Protocol):
    """Files by name, which is their path in the folder or zip, with forward slashes."""

    def names(self) -> list[str]:
        """All regular files, sorted."""

    def read(self, name: str) -> bytes:
        """The content of a file; raises ``UnreadableFileError``."""


@contextmanager
def open_source(path: Path) -> Iterator[SourceFiles]:
    """Open a folder or a zip for reading.

    Raises:
        RequestError: the path is neither, or the zip has members that lie outside of it.
    """
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.exists():
        raise RequestError(f"{path} does not exist; name the folder or the zip of the set")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError):
        raise RequestError(
            f"{path} is neither a folder nor a readable zip; unpack an archive of another kind and name "
            "its folder"
        ) from None
    with archive:
        _refuse_climbing(path, archive)
        yield _Zip(archive)


@dataclass(frozen=True)
class _Folder:
    path: Path

    def names(self) -> list[str]:
        found = []
        for folder, _, files in os.walk(self.path):
            for file in files:
                whole = Path(folder, file)
                if whole.is_file():  # leaves out pipes and devices, which would block a reader
                    found.append(whole.relative_to(self.path).as_posix())
        return sorted(found)

    def read(self, name: str) -> bytes:
        try:
            whole = self.path / name
            _check_size(whole.stat().st_size)
            return whole.read_bytes()
        except OSError as error:
            raise UnreadableFileError(f"the file cannot be read: {error.strerror or error}") from None


#: What zipfile raises for a damaged member, and lets through from its decompressors; RuntimeError is a
#: missing password, NotImplementedError an unknown compression.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)


@dataclass(frozen=True)
class _Zip:
    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        return sorted({member.filename for member in self.archive.infolist() if _is_file(member)})

    def read(self, name: str) -> bytes:
        member = self.archive.getinfo(name)
        _check_size(member.file_size)
        try:
            return self.archive.read(member)
        except _ZIP_ERRORS as error:
            raise UnreadableFileError(f"the zip is damaged here or encrypted: {error}") from None


def _is_file(member: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16)
    return not member.is_dir() and kind in (0, stat.S_IFREG)


def _refuse_climbing(path: Path, archive: zipfile.ZipFile) -> None:
    for name in archive.namelist():
        posix, windows = PurePosixPath(name), PureWindowsPath(name)
        if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
            raise RequestError(
                f"{path} has a member {name!r} that lies outside of the archive, as no published set has; "
                "get the set again from its owner"
            )


def _check_size(size: int) -> None:
    if size > LARGEST_FILE:
        raise UnreadableFileError(f"the file has {size:,} bytes, over the limit of {LARGEST_FILE:,}")
