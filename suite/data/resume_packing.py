"""Resuming a packing: what an interrupted one decoded is kept, and the next one continues from there."""

import contextlib
import errno
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import PIL

from suite.data import alignment, decoding
from suite.data.decoded_images import has_decoded_images
from suite.data.decoding_processes import DecodeRequest
from suite.data.source_files import is_table
from suite.errors import RequestError
from suite.files.locks import NO_LOCKS, FileLockedError, file_lock
from suite.files.paths import is_there, resolved

LOCK = "lock"


@contextlib.contextmanager
def resumable_folder(out: Path) -> Iterator[Path]:
    """Yield the folder beside ``out`` in which its store is made, with what an earlier packing left there.

    On success the folder is removed. After any exception it is kept if it holds decoded images.

    Raises:
        RequestError: The folder cannot be made, or another process is packing into it.
    """
    made = [parent for parent in out.parents if not is_there(parent)]
    folder = out.with_name(f".{out.name}.partial")
    try:
        with _locked(out), _kept_if_useful(folder):
            yield folder
    finally:
        with contextlib.suppress(OSError):  # another process put something into it
            for parent in made:
                parent.rmdir()


@contextlib.contextmanager
def _kept_if_useful(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        raise RequestError(f"{folder} is a file, where packing keeps what it decodes; move it away") from None
    try:
        yield
    except BaseException:
        if not has_decoded_images(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep other processes from packing into ``out``.

    The lock file lies beside the folder, because the folder is moved and removed while the lock is held.
    """
    file = out.with_name(f".{out.name}.{LOCK}")
    stack = contextlib.ExitStack()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stack.enter_context(file_lock(file))  # two packings would spoil one store
    except FileLockedError:
        raise RequestError(
            f"another process is packing into {out}; wait until it ends, or name another folder"
        ) from None
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise RequestError(
                f"{out.parent} is on a file system without locks, where two packings could spoil one set; name a "
                "folder on another file system"
            ) from None
        if error.errno in (errno.EEXIST, errno.ENOTDIR):  # of the folders above it
            raise RequestError(
                f"{out.parent} is or lies in a file; name a folder that does not exist yet"
            ) from None
        raise RequestError(
            f"{out.parent} cannot be written to ({error.strerror}); name another folder"
        ) from None
    with stack:
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def source_key(path: Path, images: Sequence[DecodeRequest], reader: str, side: int) -> str:
    """Digest everything that decides the pixels, so that two packings with one key can share decoded images.

    The digest covers the source, the part that is taken of each image, the set, the size, and the code that
    decodes.

    Args:
        path: The source.
        images: The requests, in order.
        reader: The name of the reader.
        side: Pixels.
    """
    digest = hashlib.sha256(json.dumps([reader, side, str(resolved(path)), PIL.__version__]).encode())
    for code in (decoding, alignment):
        digest.update(Path(str(code.__file__)).read_bytes())
    loose = path.is_dir() or is_table(path)
    folder = path if path.is_dir() else path.parent
    if not loose:
        digest.update(_stamp(path))
    for image in images:
        digest.update(repr((image.file, image.part)).encode("utf-8", "backslashreplace"))
        if loose:
            digest.update(_stamp(folder / image.file))
    return digest.hexdigest()


def _stamp(file: Path) -> bytes:
    try:
        found = file.stat()
    except NotADirectoryError:  # an image in a table
        return _stamp(file.parent)
    except (OSError, ValueError):  # ValueError: a name with a null byte in it
        return b"none"
    return f"{found.st_size} {found.st_mtime_ns}".encode()
