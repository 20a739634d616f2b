"""Selecting the images whose face location is known, for an alignment."""

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
    """Keep the images whose landmarks or face box the set gives, and list the others as skipped.

    Raises:
        RequestError: The set gives neither for any image.
    """
    located = reader.locate(files, path, result.records) if reader.locate else result.records
    # Boxes are used only where no image has landmarks, so that a store does not mix two kinds of crop.
    have_points = any(isinstance(record.face, FivePoints) for record in located)
    kind = FivePoints if have_points else CropBox
    kept = [record for record in located if isinstance(record.face, kind)]
    if not kept:
        where = (
            "its files with landmarks are missing or cannot be read"
            if reader.locate
            else "none of its tables has valid landmarks"
        )
        raise RequestError(
            f"--align finds no landmarks in {path}: {where}; pack it without --align, or list its images "
            "and landmarks in a manifest (docs/data.md)"
        )
    lost = [
        SkippedFile(record.file, "it has no landmarks to align it by", lost=True)
        for record in located
        if not isinstance(record.face, kind)
    ]
    how = "faces aligned by five points" if have_points else "faces cropped by their box"
    return dataclasses.replace(
        result,
        records=kept,
        skipped=sorted([*result.skipped, *lost], key=lambda one: one.file),
        found=f"{result.found}; {len(kept):,} {how}",
    )
