"""Which images of a set can be aligned, and by what."""

import dataclasses
from pathlib import Path

from suite.data.reading import Reader, Reading, Skipped
from suite.data.source_files import SourceFiles
from suite.errors import RequestError


def aligned(reading: Reading, reader: Reader, files: SourceFiles, path: Path) -> Reading:
    """The images that the set says the place of a face in; the others are skipped, by their name.

    Raises:
        RequestError: it says so of none.
    """
    located = reader.locate(files, path, reading.records) if reader.locate else reading.records
    kept = [record for record in located if record.face is not None]
    if not kept:
        where = (
            "its files with landmarks are missing, or hold no points of a face that can be read"
            if reader.locate
            else "neither its names nor its tables say where a face is"
        )
        raise RequestError(
            f"--align finds nothing to go by in {path}: {where}; pack it without --align, or name its images "
            "and points in a manifest (docs/data.md)"
        )
    lost = [
        Skipped(record.file, "the set does not say where its face is, to align it by", lost=True)
        for record in located
        if record.face is None
    ]
    return dataclasses.replace(
        reading,
        records=kept,
        skipped=sorted([*reading.skipped, *lost], key=lambda one: one.file),
        found=f"{reading.found}; {len(kept):,} faces aligned",
    )
