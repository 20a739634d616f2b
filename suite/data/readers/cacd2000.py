"""CACD2000 (Chen, Chen and Hsu 2014): noisy ages of celebrities, from the year of a photograph.

The set is a folder of images and ``celebrity2000_meta.mat`` (MATLAB v5), whose struct celebrityImageData has
the name, identity, age and rank of each image. The official split is by a celebrity's rank among those born
in the same year: ranks 3 to 5 are for test, 1 and 2 for validation, the others for training.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.file_names import AmbiguousNameError
from suite.data.readers.layout import (
    ImageRows,
    NamedImages,
    Publication,
    ambiguous,
    count_of_splits,
    find_file,
    no_image,
    out_of_range,
    sorted_result,
    visible,
    without_row,
)
from suite.data.readers.matlab import load_mat
from suite.data.readers.tables import read_bytes
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split
from suite.errors import RequestError

AGES = LabelRange(14, 62, 1)
META = "celebrity2000_meta.mat"
CACD2000_PUBLICATION = Publication(
    "CACD2000", f"{META} and the images that it names", "https://bcsiriuschen.github.io/CARC/", 163_446
)


@dataclass(frozen=True)
class _Row:
    name: str
    identity: int
    age: float
    rank: int


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of CACD2000.

    Raises:
        RequestError: The table or the images are missing, or scipy is not installed.
    """
    names = visible(files)
    meta = find_file(names, r".*meta.*\.mat")
    if meta is None:
        raise CACD2000_PUBLICATION.missing(path, names, META)
    images = NamedImages(names)  # accented letters may be composed or decomposed
    rows = ImageRows()
    for row in _rows(files, meta, path):
        try:
            found = images.find(row.name)
        except AmbiguousNameError as error:
            rows.skip(ambiguous(row.name, META, error))
            continue
        if found is None:
            rows.skip(no_image(row.name, META))
        elif not math.isfinite(row.age):
            rows.skip(SkippedFile(found, f"{META} has no age for it", lost=True))
        elif reason := out_of_range("age", row.age, AGES):
            rows.skip(SkippedFile(found, reason))
        else:
            subject, split = str(row.identity), _split(row.rank)
            record = ImageRecord(found, {"age": row.age}, subject=subject, split=split)
            rows.add(record, repeated=f"{META} lists it twice")
    records = rows.records
    if rows.are_of_another_set(names):
        raise CACD2000_PUBLICATION.missing(path, names, f"image that {META} names")
    skipped = [*rows.skipped, *without_row(names, rows.listed)]
    found_counts = f"{CACD2000_PUBLICATION.found(len(records))}; by rank {count_of_splits(records)}"
    return sorted_result(records, skipped, found_counts)


def _rows(files: SourceFiles, meta: str, path: Path) -> Iterator[_Row]:
    data = _image_data(files, meta, path)
    try:
        columns = [list(data[column].ravel()) for column in ("name", "identity", "age", "rank")]
        for name, identity, age, rank in zip(*columns, strict=True):
            yield _Row(str(name), int(identity), float(age), int(rank))
    except (KeyError, OverflowError, ValueError, TypeError, AttributeError) as error:
        raise RequestError(
            f"{meta} of {path} has no struct celebrityImageData with name, identity, age and rank for each "
            f"image ({error}); get the set again from {CACD2000_PUBLICATION.page}"
        ) from None


def _image_data(files: SourceFiles, meta: str, path: Path) -> Mapping[str, Any]:
    content = read_bytes(files, meta, path)
    loaded = load_mat(content, meta, path, CACD2000_PUBLICATION.page, "celebrityImageData")
    data: Mapping[str, Any] = loaded.get("celebrityImageData", {})
    return data


def _split(rank: int) -> Split:
    if rank <= 2:
        return "val"
    return "test" if rank <= 5 else "train"


CACD2000 = DatasetReader(
    name="cacd2000",
    description="CACD2000, 163,446 faces of celebrities: noisy ages 14-62, subjects, official splits",
    origin="CACD2000 (Chen, Chen and Hsu 2014), for non-commercial research only",
    attributes={"age": AGES},
    groups=(),
    read=read,
)
