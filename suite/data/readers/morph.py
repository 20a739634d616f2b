"""MORPH II (Ricanek and Tesafaye 2006): real ages, several photographs of a person.

The non-commercial edition has a table (``morph_2008_nonCommercial.csv``; the name differs by edition) with
the columns id_num, age, gender, race and photo, which is a path. The set also circulates as images alone,
named ``[subject]_[k][M or F][age].JPG``; these have no race.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.readers.landmarks import box_of_row, points_of_row
from suite.data.readers.layout import (
    NamedImages,
    Publication,
    is_image,
    no_image,
    out_of_range,
    read_names,
    sorted_result,
    visible,
)
from suite.data.readers.tables import columns_of, number, read_records
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange

AGES = LabelRange(16, 77, 1)
GENDERS = {"m": "male", "f": "female"}
RACES = {"w": "White", "b": "Black", "a": "Asian", "h": "Hispanic", "i": "Indian", "o": "Others"}
COLUMNS = frozenset({"id_num", "age", "photo"})
MORPH_PUBLICATION = Publication(
    "MORPH II",
    "a CSV with columns id_num, age and photo, or images [subject]_[k][M or F][age].JPG",
    "https://uncw.edu (licensed by the University of North Carolina Wilmington)",
    55_134,
)

_NAME = re.compile(r"(?P<subject>[0-9]+)_[0-9]+(?P<gender>[MFmf])(?P<age>[0-9]{1,3})\.[A-Za-z]+")


def read(files: SourceFiles, path: Path) -> ReadResult:
    """List the images of MORPH II, by its table where there is one, else by their names.

    Raises:
        RequestError: There is neither a table nor an image with such a name.
    """
    names = visible(files)
    for table in (name for name in names if name.lower().endswith((".csv", ".txt"))):
        rows = read_records(files, table, path)
        if columns_of(rows) >= COLUMNS:
            result = _read_table(rows, names, PurePosixPath(table).name)
            if not result.records:
                raise MORPH_PUBLICATION.missing(path, names, f"image that {table} names")
            return result
    records, skipped = read_names(filter(is_image, names), _parse)
    if not records:
        raise MORPH_PUBLICATION.missing(path, names)
    found = f"{MORPH_PUBLICATION.found(len(records))}, without a table; ages are from the file names"
    return ReadResult(records, skipped, found)


def _read_table(rows: Sequence[Mapping[str, str]], names: Sequence[str], table: str) -> ReadResult:
    images, records, skipped = NamedImages(names), dict[str, ImageRecord](), list[SkippedFile]()
    for row in rows:
        photo, age = row.get("photo", ""), number(row.get("age"))
        file = images.find(photo)
        if not photo:
            skipped.append(SkippedFile(table, "a row has no photo", lost=True))
        elif file is None:
            skipped.append(no_image(photo, table))
        elif file in records:
            skipped.append(SkippedFile(file, f"{table} lists it twice"))
        elif age is None:
            skipped.append(SkippedFile(file, f"{table} has no age for it"))
        elif reason := out_of_range("age", age, AGES):
            skipped.append(SkippedFile(file, reason))
        else:
            groups = {
                "gender": GENDERS.get(row.get("gender", "").lower()[:1], ""),
                "race": RACES.get(row.get("race", "").lower()[:1], ""),
            }
            box = box_of_row(row)
            face = points_of_row(row) or (None if isinstance(box, str) else box)
            records[file] = ImageRecord(file, {"age": age}, groups, subject=row.get("id_num", ""), face=face)
    return sorted_result(
        records.values(), skipped, f"{MORPH_PUBLICATION.found(len(records))}, labelled by {table}"
    )


def _parse(name: str) -> ImageRecord | SkippedFile:
    match = _NAME.fullmatch(PurePosixPath(name).name)
    if match is None:
        return SkippedFile(name, "the name is not [subject]_[k][M or F][age].JPG")
    age = int(match["age"])
    if reason := out_of_range("age", age, AGES):
        return SkippedFile(name, reason)
    groups = {"gender": GENDERS[match["gender"].lower()], "race": ""}
    return ImageRecord(name, {"age": age}, groups, subject=match["subject"])


MORPH = DatasetReader(
    name="morph",
    description="MORPH II, about 55,000 photographs: age 16-77, gender, race, subjects",
    origin="MORPH II (Ricanek and Tesafaye 2006), licensed by its owner",
    attributes={"age": AGES},
    groups=("gender", "race"),
    read=read,
)
