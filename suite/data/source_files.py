"""The files of a data set as its owner distributes it: a folder, a zip or a tar, which stays packed."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from suite.data.archive_safety import UnreadableFileError, check_content, read_file
from suite.data.parquet_images import read_image, row_of
from suite.data.tar_files import decompress, find_decompressor, index_tar, open_tar
from suite.data.unread_files import check_kind
from suite.data.zip_files import open_zip
from suite.errors import RequestError

#: Endings of a table of labels. A table may be named instead of the folder that it lies in.
TEXT_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
TABLES = (*TEXT_TABLES, ".parquet")
#: Columns of a table that may name images, or hold them as bytes.
IMAGE_COLUMNS = ("path", "file", "image")
#: Files that Windows writes into folders.
ADDED_BY_WINDOWS = ("thumbs.db", "desktop.ini")


def is_table(path: Path) -> bool:
    """Whether a path names a table of labels; any text may be one if it is named."""
    return path.name.lower().endswith((*TABLES, ".txt"))


def name_of_table(name: str, path: Path) -> str:
    """Name a table of the source ``path`` for an error; the source may be the table itself."""
    return str(path) if is_table(path) else f"{name} of {path}"


class SourceFiles(Protocol):
    """Files by name. A name is the path in the folder or archive, with forward slashes."""

    def names(self) -> list[str]:
        """All regular files, sorted."""

    def read(self, name: str) -> bytes:
        """Read a file; raises ``UnreadableFileError``."""


def is_of_the_system(name: str) -> bool:
    """Whether a file is hidden, or one that an operating system adds: ``__MACOSX/``, ``._x.jpg``, ``Thumbs.db``."""
    parts = PurePosixPath(name).parts
    return any(part.startswith((".", "__")) for part in parts) or parts[-1].lower() in ADDED_BY_WINDOWS


def open_table(files: SourceFiles, name: str) -> Path | io.BytesIO:
    """Return a table for a library to read: the path of one in a folder, else its content.

    Raises:
        UnreadableFileError: The archive cannot be read here.
    """
    return files.path / name if isinstance(files, _Folder) else io.BytesIO(files.read(name))


@contextmanager
def open_source(path: Path, *, shown: Path | None = None) -> Iterator[SourceFiles]:
    """Open a folder, a zip or a tar for reading.

    A compressed tar can be opened too, but each file is then searched from the beginning. To read more than
    a few tables from one, open what ``seekable`` yields.

    Args:
        path: The folder or archive, or a table (text or parquet), which stands for the folder that it is in.
        shown: The path that errors show, where it is not ``path``.

    Raises:
        RequestError: The path is not one of these, or an archive has members that lie outside it.
    """
    shown = shown or path
    mode = _readable_mode(path)
    if stat.S_ISDIR(mode):
        yield _Folder(path)
        return
    if not stat.S_ISREG(mode):
        raise RequestError(
            f"{path} is neither a folder nor a file; name the folder, the zip or the tar of the set, or the "
            "table of a manifest"
        )
    if is_table(path):
        yield _Folder(path.parent)
        return
    check_kind(path, shown)
    # Tar comes first: a tar whose last member is a zip would pass for a zip.
    if tar := open_tar(path, shown):
        with tar:
            yield index_tar(tar, shown)
        return
    with open_zip(path, shown) as files:
        yield files


@contextmanager
def seekable(path: Path, tar: Path) -> Iterator[Path]:
    """Yield a path that ``open_source`` reads at random without delay.

    This is the path itself, or the decompressed copy of a compressed tar.

    Args:
        path: The set as distributed.
        tar: Where to write the copy, which is deleted at the end.

    Raises:
        RequestError: The archive is damaged or a part of one, or the disk is too small for its content.
    """
    decompressor = None
    if stat.S_ISREG(_readable_mode(path)) and not is_table(path):
        check_kind(path, path)
        decompressor = find_decompressor(path)
    if decompressor is None:
        yield path
        return
    try:
        decompress(path, decompressor, tar)
        yield tar
    finally:
        tar.unlink(missing_ok=True)


def _readable_mode(path: Path) -> int:
    """The mode bits of a path that can be read."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise RequestError(
            f"{path} does not exist; name the folder, the zip or the tar of the set, or the "
            "table of a manifest"
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return mode


def _unreadable(path: Path | str, error: OSError) -> RequestError:
    return RequestError(
        f"{path} cannot be read ({error.strerror}); change its permissions, or name a copy that you may read"
    )


@dataclass(frozen=True)
class _Folder:
    path: Path

    def names(self) -> list[str]:
        found, visited = [], set()
        for folder, folders, files in os.walk(self.path, onerror=_refuse, followlinks=True):
            real = os.path.realpath(folder)
            if real in visited:  # a link to a parent, or to a folder that was read already
                folders.clear()
                continue
            visited.add(real)
            names = [Path(folder, file) for file in files]
            found += [name.relative_to(self.path).as_posix() for name in names if _is_regular(name)]
        return sorted(found)

    def read(self, name: str) -> bytes:
        in_table = row_of(name)
        if in_table and (self.path / in_table[0]).is_file():
            return read_image(self.path / in_table[0], in_table[1], IMAGE_COLUMNS)
        try:
            content = read_file(self.path / name)
        except UnreadableFileError as error:
            raise UnreadableFileError(f"the file cannot be read: {error}") from None
        return check_content(content)


def _refuse(error: OSError) -> None:
    raise _unreadable(error.filename, error)


def _is_regular(file: Path) -> bool:
    """Whether a file is neither a pipe nor a device, which would block a reader."""
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:  # for example a link to nothing; reading it reports the reason
        return True
