"""Packing a data set: every image is decoded once, in parallel, into a store that all trials share."""

import contextlib
import dataclasses
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from suite.data.copies import CopyGroups, copy_groups, treatment
from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.decoded_images import DecodedImages, has_decoded_images
from suite.data.decoding_processes import CHUNK, DecodeRequest, decode_all
from suite.data.duplicates import OnCopyProgress, find_copies, tell_nobody
from suite.data.face_locations import keep_located_faces
from suite.data.packed_labels import as_text, packed_labels
from suite.data.packing_checks import check_disk_space, check_output_folder, check_share_skipped
from suite.data.protocols import DEFAULT, SplitRequest, assign
from suite.data.resume_packing import resumable_folder, source_key
from suite.data.source_files import is_table, open_source, seekable
from suite.data.store import Store, StoreInfo, fingerprint, open_store, sampled_fingerprint, write_info
from suite.data.unread_files import adding, advice_on
from suite.errors import RequestError, UnfinishedError
from suite.files.atomic import move_into_place
from suite.files.csv_text import csv_text
from suite.files.paths import resolved
from suite.files.write_errors import why_not_written

#: Called with the number of images done and of images in all.
OnProgress = Callable[[int, int], None]
OnCopies = Callable[[CopyGroups], None]

MAX_SKIPPED = 0.01  # the default share of images that may be missing or damaged
FEWEST_IMAGES = 3  # for train, val and test
SMALLEST_SIDE = 32  # pixels, for five stages of 2x2 pooling
LARGEST_SIDE = 1024  # pixels


def pack(
    reader: DatasetReader,
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
    on_copies: OnCopies | None = None,
    on_comparison: OnCopyProgress = tell_nobody,
) -> Store:
    """Decode a set into a store.

    An image that cannot be read is left out and named in ``skipped.csv``. Exact copies and look-alikes of an image
    stay together in a random split, and all are kept. The store is made beside ``out`` and
    moved there when it is complete. After a failure or a kill, the next packing that makes the same pixels of
    the same source continues where this one stopped.

    Args:
        reader: The reader of the set.
        path: The set as distributed: a folder, a zip or a tar.
        out: The folder of the store.
        size: Pixels a side of the stored images.
        workers: Decoding processes; None starts one per core.
        splitting: The protocol of the splits.
        align: Crop each face by the landmarks that the set ships, instead of taking the images as they are.
        max_skipped: The share of the images that may be missing or damaged.
        overwrite: Replace a store that is in ``out``.
        on_progress: Called after every chunk of images.
        on_copies: Called with the copies in the store when it is complete.
        on_comparison: Called while copies are looked for.

    Raises:
        RequestError: The source is not this set, ships no landmarks to align by, or has too few readable images;
            or ``out`` is in use. Images that were decoded by then are kept for the next packing.
    """
    if not SMALLEST_SIDE <= size <= LARGEST_SIDE:
        raise RequestError(
            f"a size of {size} pixels cannot be packed; choose {SMALLEST_SIDE} to {LARGEST_SIDE}"
        )
    if not 0 <= max_skipped <= 1:
        raise RequestError(f"a share of {max_skipped:g} cannot be skipped; choose 0 to 1, such as 0.05")
    out = resolved(out)
    check_output_folder(out, overwrite)
    with resumable_folder(out) as folder, _explained(out, folder):
        check_output_folder(out, overwrite)  # again, because another packing may have ended before the lock
        with seekable(path, folder / "source.tar") as source:
            result, advice = _read(reader, source, path, align)
            if len(result.records) >= FEWEST_IMAGES:  # an impossible split is refused before the work
                with adding(_first_of(result.skipped)):
                    assign(result.records, splitting, reader.name)
            requests = [
                DecodeRequest(record.file, record.face if align else record.crop) for record in result.records
            ]
            key = source_key(path, requests, reader.name, size)
            check_disk_space(folder, len(result.records) * size * size * 3)
            decoded = DecodedImages(folder, key, len(result.records), size)
            _decode(decoded, source, requests, size, workers, on_progress)
        with adding(advice):
            kept, skipped = _sort_out(result, decoded.reasons, path)
            _write_skipped(folder, skipped)
            check_share_skipped(result, skipped, folder, path, max_skipped)
        groups = _finish(decoded, kept, skipped, reader, result, splitting, path, on_comparison)
        decoded.hand_over()
        move_into_place(decoded.store, out)
    if on_copies:
        on_copies(groups)
    return open_store(out)


@contextlib.contextmanager
def _explained(out: Path, folder: Path) -> Iterator[None]:
    """Turn the error of a disk that is full, or has become read-only, or of a limit on files into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
            raise
        kept = "what is decoded is kept there: " if has_decoded_images(folder) else ""
        mend = "free some space and pack again, or name a folder on another disk"
        if error.errno == errno.EFBIG:
            mend = "raise the limit and pack again, or name a smaller --size"
        raise UnfinishedError(
            f"{out.parent} cannot be written to ({why_not_written(error)}); {kept}{mend}"
        ) from None


def _beside(table: Path) -> list[str]:
    """The entries of a table's folder. Folders in it may be anybody's, and are not looked into."""
    try:
        return sorted(os.listdir(table.parent))
    except OSError:
        return []


def _first_of(skipped: Sequence[SkippedFile]) -> str:
    """Say what was left out, as a clause: it may be why a split is empty."""
    if not skipped:
        return ""
    return f"{len(skipped):,} images were left out before, the first, {skipped[0].file}: {skipped[0].reason}"


def _read(reader: DatasetReader, source: Path, path: Path, align: bool) -> tuple[ReadResult, str]:
    """What the reader found, and advice on archives in the source, which it did not look into."""
    with open_source(source, shown=path) as files:
        advice = advice_on(_beside(path) if is_table(path) else files.names())
        with adding(advice):
            result = reader.read(files, path)
            if align:
                result = keep_located_faces(result, reader, files, path)
    if advice and not is_table(path):  # beside a table lie other files, too
        result = dataclasses.replace(result, found=f"{result.found}; {advice}")
    return result, advice


def _decode(
    decoded: DecodedImages,
    source: Path,
    images: Sequence[DecodeRequest],
    size: int,
    workers: int | None,
    on_progress: OnProgress | None,
) -> None:
    """Decode the images that are not decoded yet."""
    for outcome in decode_all(source, images[decoded.done :], size, workers):
        decoded.take(outcome)
        if on_progress and (decoded.done % CHUNK == 0 or decoded.done == len(images)):
            on_progress(decoded.done, len(images))
    decoded.save()


def _sort_out(
    result: ReadResult, reasons: Sequence[str | None], path: Path
) -> tuple[list[ImageRecord], list[SkippedFile]]:
    """The records that have pixels, and everything that was skipped, sorted by file."""
    kept, skipped = [], list(result.skipped)
    for record, reason in zip(result.records, reasons, strict=True):
        if reason is None:
            kept.append(record)
        else:
            skipped.append(SkippedFile(record.file, reason, lost=True))
    skipped.sort(key=lambda one: one.file)
    if len(kept) < FEWEST_IMAGES:
        first = f"; the first of the others, {skipped[0].file}: {skipped[0].reason}" if skipped else ""
        raise RequestError(
            f"{path} has {len(kept)} usable images of {len(kept) + len(skipped)}, "
            f"a split in three needs at least {FEWEST_IMAGES}{first}"
        )
    return kept, skipped


def _write_skipped(folder: Path, skipped: Sequence[SkippedFile]) -> None:
    rows = [(as_text(one.file), as_text(one.reason)) for one in skipped]
    table = pd.DataFrame(rows, columns=["source", "reason"])
    (folder / "skipped.csv").write_text(csv_text(table), encoding="utf-8")


def _finish(
    decoded: DecodedImages,
    kept: Sequence[ImageRecord],
    skipped: Sequence[SkippedFile],
    reader: DatasetReader,
    result: ReadResult,
    splitting: SplitRequest,
    path: Path,
    told: OnCopyProgress,
) -> CopyGroups:
    """Write everything of a store but its images, ``store.json`` last; return the copies in it."""
    folder, images = decoded.store, decoded.usable()
    copies = find_copies(images, told)
    assignment = assign(kept, splitting, reader.name, copies.groups)
    attributes = {name: labels for name, labels in reader.attributes.items() if name in kept[0].labels}
    _write_skipped(folder, skipped)
    labels = packed_labels(kept, assignment.splits, list(attributes), [*reader.groups, *result.groups])
    labels.to_parquet(folder / "labels.parquet", index=False)
    groups = copy_groups(copies, labels, attributes)
    found = f" (found there: {as_text(result.found)})" if result.found else ""
    info = StoreInfo(
        name=reader.name,
        attributes=attributes,
        images=len(kept),
        side=images.shape[1],
        fingerprint=fingerprint(images, labels),
        sampled_fingerprint=sampled_fingerprint(images, labels),
        protocol=f"{assignment.protocol} {treatment(groups)}",
        origin=f"{reader.origin}; packed from {as_text(resolved(path).name)}{found}.",
        skipped=len(skipped),
    )
    write_info(folder, info)
    return groups
