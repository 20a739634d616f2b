"""A packing that was cut short: what it has decoded stays, and the next one goes on from there."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import PIL

from suite.data.decoding import Pixels
from suite.data.reading import Record
from suite.data.source_files import TABLES
from suite.errors import RequestError, UnfinishedError

#: Images between two points from which a packing can go on: the loss of a power cut.
BLOCK = 1024
JOURNAL = "outcomes.jsonl"
LOCK = "lock"


@contextlib.contextmanager
def unfinished_folder(out: Path) -> Iterator[Path]:
    """The folder next to ``out`` in which its store is made, with what an earlier packing left there.

    It stays where the packing was interrupted or raised ``UnfinishedError`` after a block of images; else it
    is gone at the end, unless it was moved.

    Raises:
        RequestError: the folder cannot be made, or another process is at work in it.
    """
    folder = out.with_name(f".{out.name}.partial")
    made = [parent for parent in out.parents if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise RequestError(
            f"{out.parent} cannot be written to ({error.strerror}); name another folder"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RequestError(
                f"another process is packing into {out}; wait for its end, or name another folder"
            ) from None
        try:
            yield folder
        except (KeyboardInterrupt, UnfinishedError):
            if not _has_block(folder):
                _remove(folder, made)
            raise
        except BaseException:
            _remove(folder, made)
            raise
        _remove(folder, made)


def _has_block(folder: Path) -> bool:
    journal = folder / JOURNAL
    return journal.exists() and journal.read_bytes().count(b"\n") > 1


def _remove(folder: Path, made: Sequence[Path]) -> None:
    """Remove a folder, and those above that were made for it, where nothing else came to be in them."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        for parent in made:
            parent.rmdir()


def source_key(path: Path, records: Sequence[Record], reader: str, side: int) -> str:
    """What must agree for decoded images to be those of this packing: source, set and size, in a digest."""
    digest = hashlib.sha256(json.dumps([reader, side, str(path.resolve()), PIL.__version__]).encode())
    loose = path.is_dir() or path.suffix.lower() in TABLES
    folder = path if path.is_dir() else path.parent
    if not loose:
        digest.update(_stamp(path))
    for record in records:
        digest.update(repr((record.file, record.crop)).encode("utf-8", "backslashreplace"))
        if loose:
            digest.update(_stamp(folder / record.file))
    return digest.hexdigest()


def _stamp(file: Path) -> bytes:
    try:
        found = file.stat()
    except OSError:
        return b"none"
    return f"{found.st_size} {found.st_mtime_ns}".encode()


class DecodedImages:
    """The pixels of each record in its place, and a journal of the records that have none."""

    def __init__(self, folder: Path, key: str, count: int, side: int) -> None:
        """Open what is in a folder; what is there under another key is replaced.

        Args:
            folder: of the packing.
            key: of ``source_key``.
            count: records.
            side: pixels.
        """
        self.folder = folder
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
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(self.reasons[self._saved :]) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._saved = self.done

    def finish(self) -> Pixels:
        """The images that there are, the file cut to them; the journal is gone after that."""
        kept = np.flatnonzero([reason is None for reason in self.reasons])
        if len(kept) < len(self._images):
            shorter = np.lib.format.open_memmap(
                self.folder / "shorter.npy",
                mode="w+",
                dtype=np.uint8,
                shape=(len(kept), *self._images.shape[1:]),
            )
            for start in range(0, len(kept), BLOCK):
                shorter[start : start + BLOCK] = self._images[kept[start : start + BLOCK]]
            # An interrupt from here on begins anew: places and records do not agree any more.
            (self.folder / JOURNAL).unlink(missing_ok=True)
            (self.folder / "shorter.npy").replace(self.folder / "images.npy")
            self._images = shorter
        self._images.flush()
        (self.folder / JOURNAL).unlink(missing_ok=True)
        return self._images

    def _journalled(self, key: str) -> list[str | None]:
        """The outcomes in the journal; none where its key is another."""
        journal = self.folder / JOURNAL
        reasons: list[str | None] = []
        whole = 0  # bytes of the lines that can be read: a kill may have cut off the last
        with contextlib.suppress(OSError, ValueError):
            lines = journal.read_bytes().splitlines(keepends=True)
            if lines and json.loads(lines[0]) == key:
                whole = len(lines[0])
                for line in lines[1:]:
                    if not line.endswith(b"\n"):
                        break
                    reasons += json.loads(line)
                    whole += len(line)
        if reasons:
            os.truncate(journal, whole)
        return reasons

    def _opened(self, shape: tuple[int, ...]) -> "np.memmap[tuple[int, ...], np.dtype[np.uint8]] | None":
        """The pixels that an earlier packing left, None where there are none that can be read."""
        file = self.folder / "images.npy"
        try:
            found = np.lib.format.open_memmap(
                file, mode="r"
            )  # refuses a short file, which "r+" would fill up
        except (OSError, ValueError):
            return None
        if found.shape != shape or found.dtype != np.uint8:
            return None
        return np.lib.format.open_memmap(file, mode="r+")
