"""Zip archives, read without trusting the sizes that they claim."""

import io
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from suite.data.archive_safety import (
    DAMAGE_ERRORS,
    UnreadableFileError,
    check_content,
    check_member_names,
    check_size,
)
from suite.errors import RequestError, first_line

#: The compressions that zipfile unpacks piece by piece. With the others a single piece may have any size.
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED = 1  # of the flags of a member
_UNBOUNDED = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma"}


@dataclass(frozen=True)
class ZipFiles:
    """The files of an open zip, as ``suite.data.source_files.SourceFiles``."""

    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        """All regular files and links, sorted."""
        return sorted({member.filename for member in self.archive.infolist() if _is_file(member)})

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises:
            UnreadableFileError: The file is missing, damaged, too large, a link, or encrypted.
        """
        try:
            member = self.archive.getinfo(name)
        except KeyError:
            raise UnreadableFileError("the zip has no such file") from None
        check_size(member.file_size)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnreadableFileError("the zip has a link in its place")
        return check_content(_read_member(self.archive, member))


@contextmanager
def open_zip(path: Path, shown: Path) -> Iterator[ZipFiles]:
    """Open a zip for reading.

    Args:
        path: The zip.
        shown: The path that errors show.

    Raises:
        RequestError: The file is not a readable zip or is encrypted, or a member lies outside the archive.
    """
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE_ERRORS as error:
        if _starts_as_zip(path):
            raise RequestError(
                f"{shown} is a zip that is damaged or not complete ({first_line(error)}); get it again from its owner"
            ) from None
        raise RequestError(
            f"{shown} is neither a folder nor a readable zip or tar; unpack an archive of another kind and "
            "name its folder"
        ) from None
    with archive:
        check_member_names(shown, archive.namelist())
        if not any(_is_file(member) for member in archive.infolist()):
            raise RequestError(f"{shown} is a zip without a file in it; get the set again from its owner")
        if any(member.flag_bits & _ENCRYPTED for member in archive.infolist()):
            raise RequestError(f"{shown} is encrypted; unpack it with its password, and name its folder")
        yield ZipFiles(archive)


def _starts_as_zip(path: Path) -> bool:
    """Whether a file begins as a zip does: with a member, the end of an empty one, or the mark of a divided one."""
    with path.open("rb") as file:
        start = file.read(4)
    named = path.suffix.lower() == ".zip"  # else one letter of a text would do
    return start in _STARTS or (named and any(whole.startswith(start) for whole in _STARTS))


def bounded_zip(content: bytes, most: int) -> bytes:
    """Rewrite a zip in memory so that it unpacks to exactly the sizes that it claims.

    A library that unpacks a zip by itself, such as a spreadsheet, can then be given the result.

    Args:
        content: The zip.
        most: Bytes that all its members together may have.

    Raises:
        UnreadableFileError: The members exceed the limit, or one is damaged.
        zipfile.BadZipFile: The content is not a zip.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(written, "w") as bounded:
        members = {member.filename: member for member in archive.infolist()}
        size = sum(member.file_size for member in members.values())
        if size > most:
            raise UnreadableFileError(f"it unpacks to {size:,} bytes, over the limit of {most:,}")
        for name, member in members.items():
            bounded.writestr(name, _read_member(archive, member))
    return written.getvalue()


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Read a member, holding no more of it in memory than the zip's directory claims."""
    if member.compress_type not in _BOUNDED:
        method = _UNBOUNDED.get(member.compress_type, f"method {member.compress_type}")
        raise UnreadableFileError(
            f"the zip compresses it by {method}, and only stored and deflated files are read"
        )
    try:
        with archive.open(member) as opened:
            # Without a number, zipfile inflates everything first and cuts it to the size afterwards.
            return opened.read(member.file_size + 1)
    except DAMAGE_ERRORS as error:
        reason = "it is encrypted" if member.flag_bits & _ENCRYPTED else f"the zip is damaged here: {error}"
        raise UnreadableFileError(reason) from None


def _is_file(member: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16)
    return not member.is_dir() and kind in (0, stat.S_IFREG, stat.S_IFLNK)
