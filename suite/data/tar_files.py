"""Tar archives, plain or compressed by gzip, bzip2 or xz."""

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Literal

from suite.data.archive_safety import (
    DAMAGE_ERRORS,
    LARGEST_FILE,
    UnreadableFileError,
    check_content,
    check_member_names,
    check_size,
)
from suite.data.compressed_streams import open_bz2, open_xz
from suite.errors import RequestError
from suite.files.tar_headers import BoundedInfo

LARGEST_TAR = 200_000_000_000  # bytes when decompressed
#: Photographs hardly become smaller by compression. A tar that became so much smaller is made to fill a disk.
LARGEST_RATIO = 200
SMALL_TAR = 1_000_000_000  # bytes, below which the ratio does not matter
#: As in tables of labels.
MOST_MEMBERS = 1_000_000
#: More zeros at the end of a file than any program pads it with.
PADDING_BYTES = 1_000_000
CHUNK_BYTES = 16_000_000  # decompressed at a time

Decompressor = Callable[[Path], io.BufferedIOBase]
#: The first bytes of a compressed file, and what decompresses it.
_DECOMPRESSORS: Mapping[bytes, Decompressor] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": open_bz2,
    b"\xfd7zXZ\x00": open_xz,
}
_MODES: Mapping[Decompressor | None, Literal["r:gz", "r:bz2", "r:xz"]] = {
    gzip.GzipFile: "r:gz",
    open_bz2: "r:bz2",
    open_xz: "r:xz",
}


@dataclass(frozen=True)
class TarFiles:
    """The files of an open tar, as ``suite.data.source_files.SourceFiles``."""

    archive: tarfile.TarFile
    members: Mapping[str, tarfile.TarInfo]  # regular files and links

    def names(self) -> list[str]:
        """All regular files and links, sorted."""
        return sorted(self.members)

    def read(self, name: str) -> bytes:
        """Read a file, following a link to another file of the archive.

        Raises:
            UnreadableFileError: The file is missing, damaged, too large, or a link to nothing.
        """
        if name not in self.members:
            raise UnreadableFileError("the tar has no such file")
        member = self.members[name]
        check_size(member.size)
        try:
            opened = self.archive.extractfile(member)
            content = opened.read(LARGEST_FILE + 1) if opened else b""
        except KeyError:
            raise UnreadableFileError("the tar has a link in its place that leads to no file of it") from None
        except DAMAGE_ERRORS as error:
            raise UnreadableFileError(f"the tar is damaged here: {error}") from None
        check_size(len(content))
        return check_content(content)


def open_tar(path: Path, shown: Path) -> tarfile.TarFile | None:
    """Open a tar, compressed or not; None where the file is not a tar.

    Args:
        path: The file.
        shown: The path that errors show.

    Raises:
        RequestError: The file is compressed as tars are, but holds no readable tar.
    """
    decompressor = find_decompressor(path)
    # Tried in turn, as by "r:*", xz takes a file of zeros for empty streams without end.
    try:
        return tarfile.open(path, _MODES.get(decompressor, "r:"), tarinfo=BoundedInfo)
    except DAMAGE_ERRORS:
        if decompressor is None:
            return None
        raise RequestError(
            f"{shown} is compressed, but no readable tar is in it; get the set again from its owner"
        ) from None


def index_tar(archive: tarfile.TarFile, shown: Path) -> TarFiles:
    """Read the list of members; of two members with one name the later counts, as in unpacking.

    Raises:
        RequestError: The tar is damaged or has too many members, or a member lies outside the archive.
    """
    try:
        members = list(islice(archive, MOST_MEMBERS + 1))
        if len(members) > MOST_MEMBERS:
            raise tarfile.ReadError(f"it has more than {MOST_MEMBERS:,} members")
    except DAMAGE_ERRORS as error:
        raise RequestError(f"{shown} is damaged ({error}); get the set again from its owner") from None
    _check_rest(archive, shown, empty=not members)
    check_member_names(shown, [member.name for member in members])
    files = [member for member in members if member.isreg() or member.islnk() or member.issym()]
    if not files:
        raise RequestError(f"{shown} is a tar without a file in it; get the set again from its owner")
    return TarFiles(archive, {PurePosixPath(member.name).as_posix(): member for member in files})


def find_decompressor(path: Path) -> Decompressor | None:
    """Return what decompresses a file; None where it is not compressed as tars are."""
    with path.open("rb") as file:
        start = file.read(6)
    return next((opens for magic, opens in _DECOMPRESSORS.items() if start.startswith(magic)), None)


def decompress(path: Path, decompressor: Decompressor, tar: Path) -> None:
    """Decompress a file to ``tar``.

    Raises:
        RequestError: The file is damaged, decompresses to far more than a set has, or the disk is too small.
    """
    _check_end(path)
    most = min(LARGEST_TAR, max(SMALL_TAR, LARGEST_RATIO * path.stat().st_size))
    size = 0
    try:
        with decompressor(path) as compressed, tar.open("wb") as written:
            while chunk := compressed.read(CHUNK_BYTES):
                size += len(chunk)
                if size > most:
                    raise RequestError(
                        f"{path} decompresses to more than {most:,} bytes, as no set of photographs of its size does; "
                        "if you trust it, unpack it and name its folder"
                    )
                if shutil.disk_usage(tar.parent).free < 2 * CHUNK_BYTES:
                    raise RequestError(
                        f"{tar.parent} has too little space for the content of {path}; free some, or name a "
                        "folder on another disk"
                    )
                written.write(chunk)
    except DAMAGE_ERRORS as error:
        raise RequestError(
            f"{path} cannot be decompressed ({error}); get the set again from its owner, or unpack what can "
            "be unpacked and name its folder"
        ) from None


def _check_rest(archive: tarfile.TarFile, shown: Path, *, empty: bool) -> None:
    """Refuse an uncompressed tar without an end, or with content behind it.

    A block of zeros ends a tar, also one in its middle. A tar that was cut between two members has none.
    """
    file = archive.fileobj
    if not isinstance(file, io.BufferedReader):
        return
    size = file.seek(0, io.SEEK_END)
    if size <= archive.offset:
        raise RequestError(
            f"{shown} ends without the zeros that end a tar, so that members may be missing; get the set again from "
            "its owner, or unpack it and name its folder"
        )
    file.seek(archive.offset)
    if size - archive.offset > PADDING_BYTES or any(file.read(PADDING_BYTES)):
        if empty:
            raise RequestError(f"{shown} begins with zeros, as no archive does; get it again from its owner")
        raise RequestError(
            f"{shown} has a block of zeros in the middle, where its members seem to end; get the set again from its "
            "owner, or unpack it with 'tar --ignore-zeros' and name its folder"
        )


def _check_end(path: Path) -> None:
    """Refuse a compressed file with a hole or nothing but zeros at its end.

    Gzip would look at each zero, for hours where the file is large. A compressed file has no such pages by itself.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size <= PADDING_BYTES:
            return
        hole = os.lseek(file.fileno(), 0, os.SEEK_HOLE)
        file.seek(-PADDING_BYTES, io.SEEK_END)
        if hole < size or not any(file.read(PADDING_BYTES)):
            raise RequestError(
                f"{path} has parts without content, as a file does that was not downloaded to its end; get it again "
                "from its owner"
            )
