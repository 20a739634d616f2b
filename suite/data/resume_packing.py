"""A packing that was cut short: what it has decoded stays, and the next one goes on from there."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL

from suite.data import alignment, decoding
from suite.data.decoding import Pixels
from suite.data.decoding_processes import Wanted
from suite.data.source_files import TABLES
from suite.errors import RequestError
from suite.files.locks import FileLockedError, file_lock

#: Images between two points from which a packing can go on: the loss of a power cut.
BLOCK = 1024
JOURNAL = "outcomes.jsonl"
LOCK = "lock"


@contextlib.contextmanager
def unfinished_folder(out: Path) -> Iterator[Path]:
    """The folder next to ``out`` in which its store is made, with what an earlier packing left there.

    It stays where anything was raised after a block of images, whatever it was; else it is gone at the end.

    Raises:
        RequestError: the folder cannot be made, or another process is at work in it.
    """
    made = [parent for parent in out.parents if not parent.exists()]
    folder = out.with_name(f".{out.name}.partial")
    try:
        with _locked(out), _kept_if_useful(folder):
            yield folder
    finally:
        with contextlib.suppress(OSError):  # something else came to be in it
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
        if not _has_images(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep other processes from packing into ``out``.

    The lock is beside the folder, which is moved and removed while it must hold.
    """
    file = out.with_name(f".{out.name}.{LOCK}")
    stack = contextlib.ExitStack()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stack.enter_context(file_lock(file, required=False))
    except FileLockedError:
        raise RequestError(
            f"another process is packing into {out}; wait for its end, or name another folder"
        ) from None
    except OSError as error:
        raise RequestError(
            f"{out.parent} cannot be written to ({error.strerror}); name another folder"
        ) from None
    with stack:
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def _has_images(folder: Path) -> bool:
    """Whether anything was decoded that another packing could go on from."""
    return None in _read_journal(folder / JOURNAL).reasons


def source_key(path: Path, images: Sequence[Wanted], reader: str, side: int) -> str:
    """What must agree for decoded images to be those of this packing, in a digest.

    It is the source with the part that is taken of each of its images, the set, the size, and what decodes:
    pixels of two ways of decoding must not mix.
    """
    digest = hashlib.sha256(json.dumps([reader, side, str(path.resolve()), PIL.__version__]).encode())
    for code in (decoding, alignment):
        digest.update(Path(str(code.__file__)).read_bytes())
    loose = path.is_dir() or path.suffix.lower() in TABLES
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
    except (OSError, ValueError):  # ValueError: a name with a null byte in it
        return b"none"
    return f"{found.st_size} {found.st_mtime_ns}".encode()


@dataclass(frozen=True)
class _Journal:
    """What a journal says as far as it can be read: a kill may have cut off its last line."""

    key: str | None
    reasons: list[str | None]
    whole: int  # bytes of the lines that can be read


def _read_journal(journal: Path) -> _Journal:
    key: str | None = None
    reasons: list[str | None] = []
    whole = 0
    with contextlib.suppress(OSError, ValueError):
        for n, line in enumerate(journal.read_bytes().splitlines(keepends=True)):
            if not line.endswith(b"\n"):
                break
            said = json.loads(line)
            if n == 0:
                key = said
            else:
                reasons += said
            whole += len(line)
    return _Journal(key, reasons, whole)


class DecodedImages:
    """The pixels of each record in its place, and a journal of the records that have none.

    The store is made in ``store``, a folder below. The pixels and the journal stay as they are until that is
    whole, so that a failure on the way to it costs nothing that was decoded.
    """

    def __init__(self, folder: Path, key: str, count: int, side: int) -> None:
        """Open what is in a folder; what is there under another key is replaced.

        Args:
            folder: of the packing.
            key: of ``source_key``.
            count: records.
            side: pixels.
        """
        self._folder = folder
        self.store = folder / "store"
        self._empty_store()
        shape = (count, side, side, 3)
        self.reasons = self._journalled(key)
        opened = self._opened(shape) if self.reasons else None
        if opened is None:
            self.reasons = []
            (folder / JOURNAL).write_text(json.dumps(key) + "\n", encoding="utf-8")
            opened = np.lib.format.open_memmap(folder / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
        self._images = opened
        self._saved = len(self.reasons)

    @property
    def done(self) -> int:
        """The records that need not be decoded again."""
        return len(self.reasons)

    def take(self, outcome: Pixels | str) -> None:
        """Keep the pixels of the next record, or the reason why there are none."""
        if isinstance(outcome, str):
            self.reasons.append(outcome)
        else:
            self._images[self.done] = outcome
            self.reasons.append(None)
        if self.done - self._saved >= BLOCK:
            self.save()

    def save(self) -> None:
        """Bring all pixels to the disk, and then to the journal that they are there."""
        self._images.flush()
        with (self._folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(self.reasons[self._saved :]) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._saved = self.done

    def usable(self) -> Pixels:
        """The images that there are; where some had to be left out, a copy in the store's folder."""
        self._images.flush()
        kept = np.flatnonzero([reason is None for reason in self.reasons])
        if len(kept) == len(self._images):
            return self._images
        shorter = np.lib.format.open_memmap(
            self.store / "images.npy",
            mode="w+",
            dtype=np.uint8,
            shape=(len(kept), *self._images.shape[1:]),
        )
        for start in range(0, len(kept), BLOCK):
            shorter[start : start + BLOCK] = self._images[kept[start : start + BLOCK]]
        shorter.flush()
        return shorter

    def hand_over(self) -> None:
        """Give the store its images: the last step before it is moved."""
        if not (self.store / "images.npy").exists():
            (self._folder / "images.npy").rename(self.store / "images.npy")

    def _empty_store(self) -> None:
        """Take back the images of a store that was not moved after all, and begin it anew."""
        if not (self._folder / "images.npy").exists():
            with contextlib.suppress(OSError):
                (self.store / "images.npy").rename(self._folder / "images.npy")
        shutil.rmtree(self.store, ignore_errors=True)
        self.store.mkdir()

    def _journalled(self, key: str) -> list[str | None]:
        """The outcomes in the journal; none where its key is another."""
        journal = self._folder / JOURNAL
        found = _read_journal(journal)
        if found.key != key or not found.reasons:
            return []
        os.truncate(journal, found.whole)
        return found.reasons

    def _opened(self, shape: tuple[int, ...]) -> "np.memmap[tuple[int, ...], np.dtype[np.uint8]] | None":
        """The pixels that an earlier packing left, None where there are none that can be read."""
        file = self._folder / "images.npy"
        try:
            found = np.lib.format.open_memmap(
                file, mode="r"
            )  # refuses a short file, which "r+" would fill up
        except (OSError, ValueError):
            return None
        if found.shape != shape or found.dtype != np.uint8:
            return None
        return np.lib.format.open_memmap(file, mode="r+")
