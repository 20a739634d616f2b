"""MORPH II (Ricanek and Tesafaye 2006): real ages, several photographs of a person.

The non-commercial edition has a table (``morph_2008_nonCommercial.csv``; the name differs by edition) with
the columns id_num, age, gender, race and photo, which is a path. The set also circulates as images alone,
named ``[subject]_[k][M or F][age].JPG``; these have no race.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.file_names import AmbiguousNameError
from suite.data.readers.landmarks import box_of_row, points_of_row
from suite.data.readers.layout import (
    ImageRows,
    NamedImages,
    Publication,
    ambiguous,
    is_image,
    no_image,
    out_of_range,
    read_names,
    sorted_result,
    visible,
    without_row,
)
from suite.data.readers.tables import Records, is_text_table, not_a_number, number, read_records
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
    candidates = filter(is_text_table, names)
    tables = [name for name in candidates if COLUMNS.issubset(read_records(files, name, path).columns)]
    if tables:
        rows = ((PurePosixPath(name).name, read_records(files, name, path)) for name in tables)
        result = _read_tables(rows, names)
        if result is None:
            raise MORPH_PUBLICATION.missing(path, names, f"image that {PurePosixPath(tables[0]).name} names")
        return result
    records, skipped = read_names(filter(is_image, names), _parse)
    if not records:
        raise MORPH_PUBLICATION.missing(path, names)
    found = f"{MORPH_PUBLICATION.found(len(records))}, without a table; ages are from the file names"
    return ReadResult(records, skipped, found)


def _read_tables(tables: Iterable[tuple[str, Records]], names: Sequence[str]) -> ReadResult | None:
    """Read the rows of all tables; packagings of the set have one of the whole and several of its parts.

    Returns:
        None where no row is of any of the images.
    """
    images, by, rows = NamedImages(names), list[str](), ImageRows()
    for name, table in tables:
        by.append(name)
        here: set[str] = set()
        for one in _of_table(table, name, images):
            if isinstance(one, SkippedFile):
                rows.skip(one)
            else:
                rows.add(one, repeated=f"{name} lists it twice" if one.file in here else "")
            here.add(one.file)
    if rows.are_of_another_set(names):
        return None
    kept = rows.records
    unlisted = without_row(names, rows.listed)
    labelled = (
        by[0] if len(by) == 1 else f"{by[0]} and {len(by) - 1:,} more table{'s' if len(by) > 2 else ''}"
    )
    found = f"{MORPH_PUBLICATION.found(len(kept))}, labelled by {labelled}"
    return sorted_result(kept, [*rows.skipped, *unlisted], found)


def _of_table(table: Records, name: str, images: NamedImages) -> Iterator[ImageRecord | SkippedFile]:
    for count, row in enumerate(table.rows, start=1):
        photo, age = row.get("photo", ""), number(row.get("age"))
        try:
            file = images.find(photo)
        except AmbiguousNameError as error:
            yield ambiguous(photo, name, error)
            continue
        box, points = box_of_row(row), points_of_row(row)
        if not photo:
            yield SkippedFile(name, f"row {count} has no photo", lost=True)
        elif file is None:
            yield no_image(photo, name)
        elif age is None:
            said = row.get("age", "")
            why = not_a_number(f"its age in {name}", said) if said else f"{name} has no age for it"
            yield SkippedFile(file, why, lost=True)
        elif reason := out_of_range("age", age, AGES):
            yield SkippedFile(file, reason)
        elif isinstance(box, str) or isinstance(points, str):
            yield SkippedFile(file, str(box if isinstance(box, str) else points), lost=True)
        else:
            groups = {
                "gender": GENDERS.get(row.get("gender", "").lower()[:1], ""),
                "race": RACES.get(row.get("race", "").lower()[:1], ""),
            }
            subject = row.get("id_num", "")
            yield ImageRecord(file, {"age": age}, groups, subject=subject, face=points or box)


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
