"""The images that a packing has decoded so far, on the disk, with a journal from which another can continue."""

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from suite.data.decoding import Pixels
from suite.files.arrays import new_array, reopened_array
from suite.files.reading import LARGEST_JSON, FileContentError, check_regular, parse_json

#: Images between two saves. A power cut loses at most so many.
BLOCK = 1024
JOURNAL = "outcomes.jsonl"
LARGEST_JOURNAL = 10 * LARGEST_JSON  # bytes, for millions of images


@dataclass(frozen=True)
class _Journal:
    """The readable part of a journal; a killed process may have cut off its last line."""

    key: str | None
    reasons: list[str | None]
    complete: int  # bytes of the complete lines


def has_decoded_images(folder: Path) -> bool:
    """Whether a folder holds an image that another packing could continue from."""
    return None in _read_journal(folder / JOURNAL).reasons


def _read_journal(journal: Path) -> _Journal:
    key: str | None = None
    reasons: list[str | None] = []
    complete = 0
    with contextlib.suppress(OSError, FileContentError):
        check_regular(journal, LARGEST_JOURNAL)
        for n, line in enumerate(journal.read_bytes().splitlines(keepends=True)):
            if not line.endswith(b"\n"):
                break
            entry = parse_json(line)
            if n == 0:
                key = entry
            elif isinstance(entry, list) and all(
                reason is None or isinstance(reason, str) for reason in entry
            ):
                reasons += entry
            else:
                break
            complete += len(line)
    return _Journal(key, reasons, complete)


def _remove(path: Path) -> None:
    """Remove whatever is in the place of a file, such as a pipe, which would block its writer."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class DecodedImages:
    """The pixels of each record, in order, and a journal of the records that have none.

    The store is assembled in a subfolder. The pixels and the journal stay where they are until it is complete, so
    that a failure on the way loses nothing that was decoded.

    Attributes:
        store: The subfolder in which the store is assembled.
        reasons: For each record so far, why it has no pixels; None where it has.
    """

    def __init__(self, folder: Path, key: str, count: int, side: int) -> None:
        """Open the images that a folder holds under a key; images under another key are replaced.

        Args:
            folder: The folder of the packing.
            key: From ``suite.data.resume_packing.source_key``.
            count: The number of records.
            side: Pixels.

        Raises:
            OSError: The disk has no space for the images.
        """
        self._folder = folder
        self.store = folder / "store"
        self._start_store()
        shape = (count, side, side, 3)
        self.reasons = self._journalled(key, count)
        opened = self._opened(shape) if self.reasons else None
        if opened is None:
            self.reasons = []
            for name in (JOURNAL, "images.npy"):
                _remove(folder / name)
            (folder / JOURNAL).write_text(json.dumps(key) + "\n", encoding="utf-8")
            opened = new_array(folder / "images.npy", shape)
        self._images = opened
        self._saved = len(self.reasons)

    @property
    def done(self) -> int:
        """The number of records that need not be decoded again."""
        return len(self.reasons)

    def take(self, outcome: Pixels | str) -> None:
        """Keep the pixels of the next record, or the reason why it has none."""
        if isinstance(outcome, str):
            self.reasons.append(outcome)
        else:
            self._images[self.done] = outcome
            self.reasons.append(None)
        if self.done - self._saved >= BLOCK:
            self.save()

    def save(self) -> None:
        """Flush all pixels to the disk, and then record in the journal that they are there."""
        self._images.flush()
        with (self._folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(self.reasons[self._saved :]) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._saved = self.done

    def usable(self) -> Pixels:
        """Return the usable images, uint8 (n, side, side, 3); where some are missing, a copy in ``store``."""
        self._images.flush()
        kept = np.flatnonzero([reason is None for reason in self.reasons])
        if len(kept) == len(self._images):
            return self._images
        shorter = new_array(self.store / "images.npy", (len(kept), *self._images.shape[1:]))
        for start in range(0, len(kept), BLOCK):
            shorter[start : start + BLOCK] = self._images[kept[start : start + BLOCK]]
        shorter.flush()
        return shorter

    def hand_over(self) -> None:
        """Move the images into the store, as the last step before the store is moved."""
        if not (self.store / "images.npy").exists():
            (self._folder / "images.npy").rename(self.store / "images.npy")

    def _start_store(self) -> None:
        """Start an empty store, after taking back the images of one that was never moved to its target."""
        if not (self._folder / "images.npy").exists():
            with contextlib.suppress(OSError):
                (self.store / "images.npy").rename(self._folder / "images.npy")
        _remove(self.store)
        self.store.mkdir()

    def _journalled(self, key: str, count: int) -> list[str | None]:
        """The outcomes in the journal; none where it has another key, or more than there are records."""
        journal = self._folder / JOURNAL
        found = _read_journal(journal)
        if found.key != key or not 0 < len(found.reasons) <= count:
            return []
        os.truncate(journal, found.complete)
        return found.reasons

    def _opened(self, shape: tuple[int, ...]) -> "np.memmap[tuple[int, ...], np.dtype[np.uint8]] | None":
        """The pixels that an earlier packing left; None where there are none, or they cannot be read."""
        try:
            return reopened_array(self._folder / "images.npy", shape)
        except (FileNotFoundError, FileContentError):
            return None
