"""Files and folders that appear whole or not at all.

They are written under a temporary name in the same folder, and renamed when they are complete. A process that is
killed in between leaves the earlier file, and a temporary one that ``is_temporary`` recognises.
"""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

#: Errors of a file system that cannot bring a folder's entries to the disk, or of a folder that cannot be read.
NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.EACCES, errno.EPERM}


@contextlib.contextmanager
def atomic_path(path: Path, *, durable: bool = False, suffix: str = "") -> Iterator[Path]:
    """Give a temporary path to write to, and rename it to ``path`` at the end.

    The temporary path is in the folder of ``path``, and no other process has the same. If anything is raised inside,
    it is deleted, which frees its space on a full disk, and the file at ``path`` stays as it was.

    Args:
        path: The file to create or to replace.
        durable: Bring the file and its name to the disk, so that they survive a power cut from here on.
        suffix: The end of the temporary name, for writers that go by it.

    Raises:
        OSError: The file cannot be brought to the disk, or cannot be renamed.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial{suffix}")
    try:
        yield temporary
        if durable:
            _sync_file(temporary)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # it does not exist yet, or its folder has gone
            temporary.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def write_atomically(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write a file, text as UTF-8, through ``atomic_path``.

    Raises:
        OSError: The file cannot be written; the file at ``path`` stays as it was.
    """
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def temporary_folder_beside(path: Path) -> Iterator[Path]:
    """Make an empty folder beside ``path``, on the same file system; at the end it is deleted, unless it was moved.

    Raises:
        OSError: The folder cannot be made.
    """
    folder = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_into_place(folder: Path, path: Path) -> None:
    """Rename a complete folder to ``path``. A folder that is there is deleted afterwards, or put back on failure.

    Raises:
        OSError: The folder cannot be renamed.
    """
    old = path.with_name(f".{path.name}.old-{secrets.token_hex(4)}")
    if path.exists():
        path.rename(old)
    try:
        folder.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def is_temporary(path: Path) -> bool:
    """Whether a file has a temporary name, of this version of suite or of an earlier one."""
    return ".partial" in path.suffixes


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno in NO_FOLDER_SYNC:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
