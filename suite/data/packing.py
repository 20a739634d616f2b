"""Packing a public set: every image decoded once, in parallel, into a store that all trials share."""

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from suite.data.decoding_processes import CHUNK, Wanted, decode_all
from suite.data.locating import aligned
from suite.data.protocols import DEFAULT, SplitRequest, Splits, assign
from suite.data.reading import Reader, Reading, Record, Skipped
from suite.data.resume_packing import DecodedImages, source_key, unfinished_folder
from suite.data.source_files import open_source, seekable
from suite.data.store import Store, StoreInfo, fingerprint, open_store, write_info
from suite.errors import RequestError, UnfinishedError
from suite.files.atomic import move_into_place

#: Called with the images done and the images in all.
OnProgress = Callable[[int, int], None]

MAX_SKIPPED = 0.01
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
    align: bool = False,
    max_skipped: float = MAX_SKIPPED,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Store:
    """Decode a set into a store.

    An image that cannot be read is named in ``skipped.csv`` and left out. The store is made beside
    ``out`` and moved there when it is whole; a packing that failed or was killed is gone on with by the next
    one that makes the same pixels of the same source.

    Args:
        reader: how the set is read.
        path: the set as distributed: a folder, a zip or a tar.
        out: folder of the store.
        size: pixels a side of the stored images.
        workers: decoding processes; None takes one a core.
        splitting: the protocol of the splits.
        align: crop each face by the landmarks that the set ships, instead of taking images as they are.
        max_skipped: share of the images that may be missing or damaged.
        overwrite: replace a store that is in ``out``.
        on_progress: told of every chunk of images.

    Raises:
        RequestError: the set is not there or ships no landmarks to align by, ``out`` is taken, or too few
            images are readable. What is decoded by then is kept for the next packing.
    """
    if not SMALLEST_SIDE <= size <= LARGEST_SIDE:
        raise RequestError(
            f"a size of {size} pixels cannot be packed; choose {SMALLEST_SIDE} to {LARGEST_SIDE}"
        )
    if not 0 <= max_skipped <= 1:
        raise RequestError(f"a share of {max_skipped:g} cannot be skipped; choose 0 to 1, such as 0.05")
    out = out.resolve()
    _check_free(out, overwrite)
    with unfinished_folder(out) as folder:
        _check_free(out, overwrite)  # another packing may have ended between the look before and the lock
        with seekable(path, folder / "source.tar") as source:
            reading = _read(reader, source, path, align)
            if len(reading.records) >= FEWEST:  # what cannot be split is told before the work, not after
                assign(reading.records, splitting, reader.name)
            wanted = [
                Wanted(record.file, record.face if align else record.crop) for record in reading.records
            ]
            key = source_key(path, wanted, reader.name, size)
            _check_space(folder, len(reading.records) * size * size * 3)
            decoded = DecodedImages(folder, key, len(reading.records), size)
            _decode(decoded, source, wanted, size, workers, on_progress)
        kept, skipped = _sort_out(reading, decoded.reasons, path)
        _write_skipped(folder, skipped)
        _check_skipped(reading, skipped, folder, path, max_skipped)
        _finish(decoded, kept, skipped, reader, reading, splitting, path)
        decoded.hand_over()
        move_into_place(decoded.store, out)
    return open_store(out)


def _read(reader: Reader, source: Path, path: Path, align: bool) -> Reading:
    with open_source(source, named=path) as files:
        reading = reader.read(files, path)
        return aligned(reading, reader, files, path) if align else reading


def _decode(
    decoded: DecodedImages,
    source: Path,
    images: Sequence[Wanted],
    size: int,
    workers: int | None,
    on_progress: OnProgress | None,
) -> None:
    """Decode what is not decoded yet."""
    for outcome in decode_all(source, images[decoded.done :], size, workers):
        decoded.take(outcome)
        if on_progress and (decoded.done % CHUNK == 0 or decoded.done == len(images)):
            on_progress(decoded.done, len(images))
    decoded.save()


def _sort_out(
    reading: Reading, reasons: Sequence[str | None], path: Path
) -> tuple[list[Record], list[Skipped]]:
    """The records that have pixels, and all that was skipped by its file."""
    kept, skipped = [], list(reading.skipped)
    for record, reason in zip(reading.records, reasons, strict=True):
        if reason is None:
            kept.append(record)
        else:
            skipped.append(Skipped(record.file, reason, lost=True))
    skipped.sort(key=lambda one: one.file)
    if len(kept) < FEWEST:
        first = f"; the first of the others, {skipped[0].file}: {skipped[0].reason}" if skipped else ""
        raise RequestError(
            f"{path} has {len(kept)} usable images of {len(kept) + len(skipped)}, "
            f"a split in three needs at least {FEWEST}{first}"
        )
    return kept, skipped


def _write_skipped(folder: Path, skipped: Sequence[Skipped]) -> None:
    rows = [(_text(one.file), _text(one.reason)) for one in skipped]
    pd.DataFrame(rows, columns=["source", "reason"]).to_csv(folder / "skipped.csv", index=False)


def _check_skipped(
    reading: Reading, skipped: Sequence[Skipped], folder: Path, path: Path, most: float
) -> None:
    """Refuse a set of which too much is missing or damaged; duplicates and other files are not counted."""
    lost = sum(one.lost for one in skipped)
    whole = len(reading.records) + sum(one.lost for one in reading.skipped)
    if lost > most * whole:
        enough = -(-1000 * lost // whole) / 1000
        raise UnfinishedError(
            f"{lost:,} of {whole:,} images of {path} are missing, damaged or without what is asked of them, "
            f"more than the {most:.3g} that --max-skipped allows; {folder / 'skipped.csv'} names them: get "
            f"them again, or add --max-skipped {enough:g} (what is decoded is kept)"
        )


def _finish(
    decoded: DecodedImages,
    kept: Sequence[Record],
    skipped: Sequence[Skipped],
    reader: Reader,
    reading: Reading,
    splitting: SplitRequest,
    path: Path,
) -> None:
    """Write what a store has beside its images, ``store.json`` last."""
    folder, assignment = decoded.store, assign(kept, splitting, reader.name)
    attributes = {name: labels for name, labels in reader.attributes.items() if name in kept[0].labels}
    _write_skipped(folder, skipped)
    images = decoded.usable()
    labels = _labels(kept, assignment.splits, list(attributes), [*reader.groups, *reading.groups])
    labels.to_parquet(folder / "labels.parquet", index=False)
    found = f" (found there: {_text(reading.found)})" if reading.found else ""
    info = StoreInfo(
        name=reader.name,
        attributes=attributes,
        images=len(kept),
        side=images.shape[1],
        fingerprint=fingerprint(images, labels),
        protocol=assignment.protocol,
        origin=f"{reader.origin}; packed from {_text(path.resolve().name)}{found}.",
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
    try:
        str(out).encode()
    except UnicodeEncodeError:
        raise RequestError(f"{_text(str(out))} is no name in UTF-8; name another folder") from None
    try:
        if not out.exists():
            return
        held = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    except OSError as error:
        raise RequestError(f"{out} cannot be looked into ({error.strerror}); name another folder") from None
    if out.is_mount():
        raise RequestError(
            f"{out} is a mount point, and a store is moved to its place whole; name a folder in it"
        )
    if not out.is_dir():
        raise RequestError(f"{out} is a file; name a folder that does not exist yet")
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
    with contextlib.suppress(OSError):  # what an earlier packing has written of them
        free += (folder / "images.npy").stat().st_blocks * 512
    if free < 2 * needed:  # the images are copied once where some had to be left out
        raise RequestError(
            f"{folder.parent} has {free / 1e9:.1f} GB free, packing needs up to {2 * needed / 1e9:.1f} GB; "
            "name a folder on another disk, or a smaller --size"
        )


def _text(name: str) -> str:
    """A file name as text that can be written, whatever bytes the file system has in it."""
    return name.encode("utf-8", "backslashreplace").decode()
