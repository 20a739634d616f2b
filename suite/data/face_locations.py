"""Which images of a set say where their face is, for an alignment."""

import dataclasses
from pathlib import Path

from suite.data.alignment import FivePoints
from suite.data.dataset_reader import DatasetReader, ReadResult, SkippedFile
from suite.data.decoding import CropBox
from suite.data.source_files import SourceFiles
from suite.errors import RequestError


def keep_located_faces(
    result: ReadResult, reader: DatasetReader, files: SourceFiles, path: Path
) -> ReadResult:
    """The images that the set says the place of a face in; the others are skipped, by their name.

    Raises:
        RequestError: it says so of none.
    """
    located = reader.locate(files, path, result.records) if reader.locate else result.records
    # Boxes will do where there is nothing better; of two kinds of crop in one set, one would be the odd one.
    have_points = any(isinstance(record.face, FivePoints) for record in located)
    wanted = FivePoints if have_points else CropBox
    kept = [record for record in located if isinstance(record.face, wanted)]
    if not kept:
        where = (
            "its files with landmarks are missing, or hold no points of a face that can be read"
            if reader.locate
            else "no table of it has the points of a face, or those of no face that can be"
        )
        raise RequestError(
            f"--align finds nothing to go by in {path}: {where}; pack it without --align, or name its images "
            "and points in a manifest (docs/data.md)"
        )
    lost = [
        SkippedFile(record.file, "it has no landmarks to align it by", lost=True)
        for record in located
        if not isinstance(record.face, wanted)
    ]
    how = "faces aligned by five points" if have_points else "faces cropped by their box"
    return dataclasses.replace(
        result,
        records=kept,
        skipped=sorted([*result.skipped, *lost], key=lambda one: one.file),
        found=f"{result.found}; {len(kept):,} {how}",
    )
