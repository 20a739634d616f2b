"""Packing a public set: every image decoded once, in parallel, into a store that all trials share."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from suite.data.decoding import Pixels
from suite.data.decoding_processes import CHUNK, Wanted, decode_all
from suite.data.protocols import DEFAULT, SplitRequest, Splits, assign
from suite.data.reading import Reader, Reading, Record, Skipped
from suite.data.replacing import folder_beside, move_into_place
from suite.data.source_files import open_source, seekable
from suite.data.store import Store, StoreInfo, fingerprint, open_store, write_info
from suite.errors import RequestError

#: Called with the images done and the images in all.
OnProgress = Callable[[int, int], None]

FEWEST = 3  # images; a split in three needs so many
SMALLEST_SIDE = 32  # pixels; five stages of 2x2 pooling need so many
LARGEST_SIDE = 1024
_FILES = {"images.npy", "labels.parquet", "skipped.csv", "store.json"}


def pack(
    reader: Reader,
    path: Path,
    out: Path,
    *,
    size: int = 64,
    workers: int | None = None,
    splitting: SplitRequest = DEFAULT,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Store:
    """Decode a set into a store.

    An image that cannot be read is named in ``skipped.csv`` and left out. The store is made beside
    ``out`` and moved there when it is whole.

    Args:
        reader: how the set is read.
        path: the set as distributed: a folder, a zip or a tar.
        out: folder of the store.
        size: pixels a side of the stored images.
        workers: decoding processes; None takes one a core.
        splitting: the protocol of the splits.
        overwrite: replace a store that is in ``out``.
        on_progress: told of every chunk of images.

    Raises:
        RequestError: the set is not there, ``out`` is taken, or too few images are readable.
    """
    if not SMALLEST_SIDE <= size <= LARGEST_SIDE:
        raise RequestError(
            f"a size of {size} pixels cannot be packed; choose {SMALLEST_SIDE} to {LARGEST_SIDE}"
        )
    out = out.resolve()
    _check_free(out, overwrite)
    with seekable(path, _scratch(out)) as source:
        with open_source(source, named=path) as files:
            reading = reader.read(files, path)
        if len(reading.records) >= FEWEST:  # a protocol that cannot be is told before the work, not after
            assign(reading.records, splitting, reader.name)
        with folder_beside(out) as folder:
            _check_space(folder, len(reading.records) * size * size * 3)
            partial = _Partial(folder, size, len(reading.records))
            wanted = [Wanted(record.file, record.crop) for record in reading.records]
            for number, outcome in enumerate(decode_all(source, wanted, size, workers)):
                partial.take(reading.records[number], outcome)
                if on_progress and ((number + 1) % CHUNK == 0 or number + 1 == len(reading.records)):
                    on_progress(number + 1, len(reading.records))
            _finish(partial, reader, reading, splitting, path)
            move_into_place(folder, out)
    return open_store(out)


def _scratch(out: Path) -> Path:
    """Where a compressed tar is decompressed: beside ``out``, or where its folder will be."""
    beside = next(folder for folder in out.parents if folder.is_dir())
    return beside / f".{out.name}.source-{os.getpid()}.tar"


class _Partial:
    """A store in the making: the images decoded so far, in order."""

    def __init__(self, folder: Path, size: int, most: int) -> None:
        self.folder = folder
        self.kept: list[Record] = []
        self.skipped: list[Skipped] = []
        self._images = np.lib.format.open_memmap(
            folder / "images.npy", mode="w+", dtype=np.uint8, shape=(most, size, size, 3)
        )

    def take(self, record: Record, outcome: Pixels | str) -> None:
        """Keep the pixels of an image, or the reason why there are none."""
        if isinstance(outcome, str):
            self.skipped.append(Skipped(record.file, outcome))
        else:
            self._images[len(self.kept)] = outcome
            self.kept.append(record)

    def images(self) -> Pixels:
        """The images that were kept, the file cut to them."""
        if len(self.kept) < len(self._images):
            shorter = np.lib.format.open_memmap(
                self.folder / "shorter.npy",
                mode="w+",
                dtype=np.uint8,
                shape=(len(self.kept), *self._images.shape[1:]),
            )
            for start in range(0, len(shorter), 1024):
                stop = min(start + 1024, len(shorter))
                shorter[start:stop] = self._images[start:stop]
            (self.folder / "shorter.npy").replace(self.folder / "images.npy")
            self._images = shorter
        self._images.flush()
        return self._images


def _finish(partial: _Partial, reader: Reader, reading: Reading, splitting: SplitRequest, path: Path) -> None:
    """Write what a store has beside its images, ``store.json`` last."""
    folder, kept = partial.folder, partial.kept
    skipped = sorted([*reading.skipped, *partial.skipped], key=lambda s: s.file)
    if len(kept) < FEWEST:
        first = f"; the first of the others, {skipped[0].file}: {skipped[0].reason}" if skipped else ""
        raise RequestError(
            f"{path} has {len(kept)} usable images of {len(kept) + len(skipped)}, "
            f"a split in three needs at least {FEWEST}{first}"
        )
    assignment = assign(kept, splitting, reader.name)
    attributes = {name: labels for name, labels in reader.attributes.items() if name in kept[0].labels}
    images = partial.images()
    labels = _labels(kept, assignment.splits, list(attributes), [*reader.groups, *reading.groups])
    labels.to_parquet(folder / "labels.parquet", index=False)
    rows = [(_text(s.file), _text(s.reason)) for s in skipped]
    pd.DataFrame(rows, columns=["source", "reason"]).to_csv(folder / "skipped.csv", index=False)
    found = f" ({_text(reading.found)})" if reading.found else ""
    info = StoreInfo(
        name=reader.name,
        attributes=attributes,
        images=len(kept),
        side=images.shape[1],
        fingerprint=fingerprint(images, labels),
        protocol=assignment.protocol,
        origin=f"{reader.origin}; packed from {_text(path.name)}{found}.",
        skipped=len(skipped),
    )
    write_info(folder, info)


def _labels(
    kept: Sequence[Record], splits: Splits, attributes: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    columns: dict[str, object] = {
        "split": splits,
        "subject": [_text(record.subject) for record in kept],
        "source": _sources([record.file for record in kept]),
    }
    for attribute in attributes:
        columns[attribute] = np.array([record.labels[attribute] for record in kept], dtype=np.float64)
        columns[f"{attribute}_std"] = np.array(
            [record.deviations.get(attribute, np.nan) for record in kept], dtype=np.float64
        )
    columns |= {group: [_text(record.groups.get(group, "")) for record in kept] for group in groups}
    return pd.DataFrame(columns)


def _sources(files: Sequence[str]) -> list[str]:
    """File names without the folder that all share, so that a folder and a zip of a set pack alike."""
    common = os.path.commonpath([os.path.dirname(f"/{file}") for file in files])
    return [_text(os.path.relpath(f"/{file}", common)) for file in files]


def _check_free(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but, where it may be replaced, a store."""
    if not out.exists():
        return
    if not out.is_dir():
        raise RequestError(f"{out} is a file; name a folder that does not exist yet")
    held = {entry.name for entry in out.iterdir()}
    if held - _FILES:
        raise RequestError(
            f"{out} is not empty and holds {sorted(held - _FILES)[0]!r}, which is no part of packed data; "
            "name a folder that does not exist yet"
        )
    if held and not overwrite:
        raise RequestError(f"{out} holds packed data already; name another folder, or add --overwrite")


def _check_space(folder: Path, needed: int) -> None:
    """Refuse what would not fit, because a memory map on a full disk kills the process without a word."""
    free = shutil.disk_usage(folder).free
    if free < 2 * needed:  # the images are copied once where some had to be left out
        raise RequestError(
            f"{folder.parent} has {free / 1e9:.1f} GB free, packing needs up to {2 * needed / 1e9:.1f} GB; "
            "name a folder on another disk, or a smaller --size"
        )


def _text(name: str) -> str:
    """A file name as text that can be written, whatever bytes the file system has in it."""
    return name.encode("utf-8", "backslashreplace").decode()
