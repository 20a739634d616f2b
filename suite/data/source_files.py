"""The files of a set as its owner distributes it: a folder, or a zip or tar that stays packed."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from suite.errors import RequestError

#: No face image and no table of labels is larger; keeps a forged archive from filling the memory.
LARGEST_FILE = 100_000_000  # bytes
COPIED_AT_ONCE = 16_000_000  # bytes
#: Endings of a table of labels, which is opened by naming it instead of its folder.
TABLES = (".csv", ".parquet")


class UnreadableFileError(Exception):
    """A file that cannot be read; the message is the reason, for ``skipped.csv``."""


class SourceFiles(Protocol):
    """Files by name, which is their path in the folder or archive, with forward slashes."""

    def names(self) -> list[str]:
        """All regular files, sorted."""

    def read(self, name: str) -> bytes:
        """The content of a file; raises ``UnreadableFileError``."""


@contextmanager
def open_source(path: Path, *, named: Path | None = None) -> Iterator[SourceFiles]:
    """Open a folder, a zip or a tar for result.

    A compressed tar can be opened too, but each file is then looked for from its beginning: read
    more than some tables of it from what ``seekable`` gives.

    Args:
        path: where the files are; of a table (CSV, parquet), the folder that it lies in.
        named: what errors call the path, where it stands in for another.

    Raises:
        RequestError: the path is none of these, or an archive with members that lie outside of it.
    """
    named = named or path
    kind = _kind_of(path)
    if stat.S_ISDIR(kind):
        yield _Folder(path)
        return
    if not stat.S_ISREG(kind):
        raise RequestError(
            f"{path} is neither a folder nor a file; name the folder, the zip or the tar of the set"
        )
    if path.suffix.lower() in TABLES:
        yield _Folder(path.parent)
        return
    # A zip that is the last member of a tar would pass for the whole: a tar is looked for first.
    if tar := _open_tar(path, named):
        with tar:
            yield _index(tar, named)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError):
        raise RequestError(
            f"{named} is neither a folder nor a readable zip or tar; unpack an archive of another kind and "
            "name its folder"
        ) from None
    with archive:
        _refuse_climbing(named, archive.namelist())
        yield _Zip(archive)


def _kind_of(path: Path) -> int:
    """What a path is, by the bits of its mode, once it is sure that it can be read."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind):
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise RequestError(f"{path} does not exist; name the folder, the zip or the tar of the set") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return kind


def _unreadable(path: Path | str, error: OSError) -> RequestError:
    return RequestError(
        f"{path} cannot be read ({error.strerror}); see that you may, or name a copy that you may"
    )


@contextmanager
def seekable(path: Path, tar: Path) -> Iterator[Path]:
    """What ``open_source`` reads at random without delay: the path, or the tar in a compressed one.

    Args:
        path: the set as distributed.
        tar: where to write the tar, which is deleted at the end.

    Raises:
        RequestError: the archive is damaged, or the disk too small for what is in it.
    """
    decompressor = _decompressor(path) if stat.S_ISREG(_kind_of(path)) else None
    if decompressor is None:
        yield path
        return
    try:
        _decompress(path, decompressor, tar)
        yield tar
    finally:
        tar.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Folder:
    path: Path

    def names(self) -> list[str]:
        found, seen = [], set()
        for folder, folders, files in os.walk(self.path, onerror=_refuse, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:  # a link that leads back, or to what is read already
                folders.clear()
                continue
            seen.add(real)
            names = [Path(folder, file) for file in files]
            found += [name.relative_to(self.path).as_posix() for name in names if _may_be_read(name)]
        return sorted(found)

    def read(self, name: str) -> bytes:
        try:
            whole = self.path / name
            _check_size(whole.stat().st_size)
            return whole.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a table names a file with a null byte in it
            reason = getattr(error, "strerror", None) or error
            raise UnreadableFileError(f"the file cannot be read: {reason}") from None


def _refuse(error: OSError) -> None:
    raise _unreadable(error.filename, error)


def _may_be_read(file: Path) -> bool:
    """Leaves out pipes and devices, which would block a reader."""
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:  # a link to nothing, for one; reading it tells
        return True


#: What a damaged archive makes zipfile, tarfile and their decompressors raise; RuntimeError is a
#: missing password, NotImplementedError an unknown compression.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)


#: The compressions that zipfile unpacks piece by piece; of the others a piece may be of any size.
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OTHERS = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma"}


@dataclass(frozen=True)
class _Zip:
    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        return sorted({member.filename for member in self.archive.infolist() if _is_file(member)})

    def read(self, name: str) -> bytes:
        try:
            member = self.archive.getinfo(name)
        except KeyError:
            raise UnreadableFileError("the zip has no such file") from None
        _check_size(member.file_size)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnreadableFileError("the zip has a link in its place")
        return _read_member(self.archive, member)


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """All of a member, with no more of it in the memory than the directory of the zip says."""
    if member.compress_type not in _BOUNDED:
        method = _OTHERS.get(member.compress_type, f"method {member.compress_type}")
        raise UnreadableFileError(
            f"the zip compresses it by {method}, and only stored and deflated files are read"
        )
    try:
        with archive.open(member) as opened:
            # Without a number, zipfile inflates all that there is and then cuts it to the size.
            return opened.read(member.file_size + 1)
    except _DAMAGE as error:
        said = "it is encrypted" if member.flag_bits & 1 else f"the zip is damaged here: {error}"
        raise UnreadableFileError(said) from None


def bounded_zip(content: bytes, most: int) -> bytes:
    """A zip in memory (a spreadsheet is one) that another may unpack: it holds no more than it says.

    Args:
        content: the zip as it came.
        most: bytes that its members may have in all.

    Raises:
        UnreadableFileError: there are more, or a member is damaged.
        zipfile.BadZipFile: it is no zip.
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


def _is_file(member: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16)
    return not member.is_dir() and kind in (0, stat.S_IFREG, stat.S_IFLNK)


@dataclass(frozen=True)
class _Tar:
    archive: tarfile.TarFile
    members: Mapping[str, tarfile.TarInfo]  # its regular files, and links

    def names(self) -> list[str]:
        return sorted(self.members)

    def read(self, name: str) -> bytes:
        if name not in self.members:
            raise UnreadableFileError("the tar has no such file")
        member = self.members[name]
        _check_size(member.size)
        try:
            opened = self.archive.extractfile(member)  # a link's target lies in the archive, or it is none
            content = opened.read(LARGEST_FILE + 1) if opened else b""
        except KeyError:
            raise UnreadableFileError("the tar has a link in its place that leads to no file of it") from None
        except _DAMAGE as error:
            raise UnreadableFileError(f"the tar is damaged here: {error}") from None
        _check_size(len(content))
        return content


def _open_tar(path: Path, named: Path) -> tarfile.TarFile | None:
    """The tar, whatever it is compressed with; None where the file is no tar."""
    try:
        return tarfile.open(path, "r:*")
    except _DAMAGE:
        if _decompressor(path) is None:
            return None
        raise RequestError(
            f"{named} is compressed, but no readable tar is in it; get the set again from its owner"
        ) from None


def _index(archive: tarfile.TarFile, named: Path) -> _Tar:
    """Look through a tar once; of two members of one name the later counts, as it does in unpacking."""
    try:
        members = archive.getmembers()
    except _DAMAGE as error:
        raise RequestError(f"{named} is damaged ({error}); get the set again from its owner") from None
    _refuse_climbing(named, [member.name for member in members])
    files = [member for member in members if member.isreg() or member.islnk() or member.issym()]
    return _Tar(archive, {PurePosixPath(member.name).as_posix(): member for member in files})


#: How a compressed tar begins, and what opens it.
_DECOMPRESSORS: Mapping[bytes, Callable[[Path], io.BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}


def _decompressor(path: Path) -> Callable[[Path], io.BufferedIOBase] | None:
    """What opens a compressed file; None where it is not compressed as tars are."""
    with path.open("rb") as file:
        start = file.read(6)
    return next((opens for magic, opens in _DECOMPRESSORS.items() if start.startswith(magic)), None)


def _decompress(path: Path, decompressor: Callable[[Path], io.BufferedIOBase], tar: Path) -> None:
    try:
        with decompressor(path) as compressed, tar.open("wb") as written:
            while part := compressed.read(COPIED_AT_ONCE):
                if shutil.disk_usage(tar.parent).free < 2 * COPIED_AT_ONCE:
                    raise RequestError(
                        f"{tar.parent} has no room for what is in {path}; free some, or name a folder on "
                        "another disk"
                    )
                written.write(part)
    except _DAMAGE as error:
        raise RequestError(
            f"{path} cannot be decompressed ({error}); get the set again from its owner, or unpack what can "
            "be unpacked and name its folder"
        ) from None


def _refuse_climbing(path: Path, members: Sequence[str]) -> None:
    for name in members:
        posix, windows = PurePosixPath(name), PureWindowsPath(name)
        if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
            raise RequestError(
                f"{path} has a member {name!r} that lies outside of the archive, as no published set has; "
                "get the set again from its owner"
            )


def _check_size(size: int) -> None:
    if size > LARGEST_FILE:
        raise UnreadableFileError(f"the file has {size:,} bytes, over the limit of {LARGEST_FILE:,}")
