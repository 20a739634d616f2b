"""Checks before packing: an output folder in use, a disk too small, a set with too much missing."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from suite.data.dataset_reader import ReadResult, SkippedFile
from suite.data.packed_labels import as_text
from suite.errors import RequestError, UnfinishedError
from suite.files.byte_count import byte_count

STORE_FILES = {"images.npy", "labels.parquet", "skipped.csv", "store.json"}


def check_output_folder(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but a store that may be replaced.

    Raises:
        RequestError: The folder is in use, is a file or a mount point, or cannot be read.
    """
    try:
        str(out).encode()
    except UnicodeEncodeError:
        raise RequestError(f"{as_text(str(out))} is not a UTF-8 name; name another folder") from None
    try:
        if not out.exists():
            return
        entries = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    except OSError as error:
        raise RequestError(f"{out} cannot be read ({error.strerror}); name another folder") from None
    if out.is_mount():
        raise RequestError(
            f"{out} is a mount point, which a finished store cannot replace; name a folder inside it"
        )
    if not out.is_dir():
        raise RequestError(f"{out} is a file; name a folder that does not exist yet")
    if entries - STORE_FILES:
        raise RequestError(
            f"{out} is not empty and holds {sorted(entries - STORE_FILES)[0]!r}, which is not part of packed data; "
            "name a folder that does not exist yet"
        )
    if entries and not overwrite:
        raise RequestError(f"{out} holds packed data already; name another folder, or add --overwrite")


def check_disk_space(folder: Path, needed: int) -> None:
    """Refuse images of ``needed`` bytes that would not fit on the disk.

    The check comes first because writing to a memory map on a full disk kills the process without a message.

    Raises:
        RequestError: There is too little space.
    """
    free = shutil.disk_usage(folder).free
    with contextlib.suppress(OSError):  # an earlier packing may have written some of them
        free += (folder / "images.npy").stat().st_blocks * 512
    if free < 2 * needed:  # the images are copied once if some have to be left out
        raise RequestError(
            f"{folder.parent} has {byte_count(free)} free, packing needs up to {byte_count(2 * needed)}; "
            "name a folder on another disk, or a smaller --size"
        )


def check_share_skipped(
    result: ReadResult, skipped: Sequence[SkippedFile], folder: Path, path: Path, most: float
) -> None:
    """Refuse a set of which too much is missing or damaged; duplicates and other files do not count.

    Args:
        result: What the reader found.
        skipped: Everything that was left out, while reading and while decoding.
        folder: The folder of the packing, for the error.
        path: The set, for the error.
        most: The share of the images that may be missing or damaged, 0 to 1.

    Raises:
        UnfinishedError: More is missing.
    """
    lost = sum(one.lost for one in skipped)
    total = len(result.records) + sum(one.lost for one in result.skipped)
    if lost > most * total:
        enough = -(-1000 * lost // total) / 1000
        raise UnfinishedError(
            f"{lost:,} of {total:,} images of {path} are missing, damaged or without required data, more than "
            f"the {most:.3g} that --max-skipped allows; {folder / 'skipped.csv'} names them: get them again, or "
            f"add --max-skipped {enough:g} (the decoded images are kept)"
        )
