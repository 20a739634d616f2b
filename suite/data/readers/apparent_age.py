"""Shared by ChaLearn's sets of apparent age: a table of means and deviations for each split."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import ImageRecord, ReadResult, SkippedFile
from suite.data.readers.layout import (
    SPLITS,
    NamedImages,
    Publication,
    count_of_splits,
    no_image,
    out_of_range,
    sorted_result,
    split_of,
    visible,
)
from suite.data.readers.tables import number, read_rows
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split


@dataclass(frozen=True)
class ApparentAge:
    """The label of one image, as a table has it."""

    image: str
    age: float
    deviation: float | None
    groups: Mapping[str, str] = field(default_factory=dict)


def read_lap(files: SourceFiles, path: Path, publication: Publication, ages: LabelRange) -> ReadResult:
    """Read a set with a table ``image, mean, deviation`` for each of three splits.

    A folder or file name that contains train, val or test assigns a table and images to a split.

    Raises:
        RequestError: The table of a split, or all of its images, are missing.
    """
    names = visible(files)
    tables: dict[Split, str] = {}
    rows_by_split: dict[Split, list[ApparentAge]] = {}
    for name in (name for name in names if name.lower().endswith((".csv", ".txt"))):
        split = split_of(name)
        if split and (found := _means(read_rows(files, name, path))):
            tables[split], rows_by_split[split] = name, found
    return join_images(path, names, publication, ages, tables, rows_by_split)


def join_images(
    path: Path,
    names: Sequence[str],
    publication: Publication,
    ages: LabelRange,
    tables: Mapping[Split, str],
    rows_by_split: Mapping[Split, Sequence[ApparentAge]],
) -> ReadResult:
    """Join the tables of the splits with their images.

    Args:
        path: The source, for errors.
        names: Its files.
        publication: The set.
        ages: The label range.
        tables: The file name of each split's table.
        rows_by_split: The rows of each table.

    Raises:
        RequestError: The table of a split, or all of its images, are missing.
    """
    records: dict[str, ImageRecord] = {}
    skipped: list[SkippedFile] = []
    for split in SPLITS:
        if split not in tables:
            raise publication.missing(path, names, f"table of its {split} images")
        table = PurePosixPath(tables[split]).name
        # Splits may number their images alike, so images of other splits are left out.
        images = NamedImages(name for name in names if split_of(name) in (split, None))
        found = [_record(row, images, split, table, ages) for row in rows_by_split[split]]
        if not any(isinstance(one, ImageRecord) for one in found):
            raise publication.missing(path, names, f"image that {table} names")
        for one in found:
            if isinstance(one, SkippedFile):
                skipped.append(one)
            elif one.file in records:
                skipped.append(
                    SkippedFile(one.file, f"{table} lists it, and so does the table of another split")
                )
            else:
                records[one.file] = one
    counts = count_of_splits(records.values())
    return sorted_result(
        records.values(), skipped, f"{publication.found(len(records))}; official splits {counts}"
    )


def _record(
    row: ApparentAge, images: NamedImages, split: Split, table: str, ages: LabelRange
) -> ImageRecord | SkippedFile:
    if not row.image:
        return SkippedFile(table, "a row has an age but no image", lost=True)
    file = images.find(f"{row.image}_face.jpg") or images.find(row.image)
    if file is None:
        return no_image(row.image, table)
    if reason := out_of_range("age", row.age, ages):
        return SkippedFile(file, reason)
    deviations = {} if row.deviation is None else {"age": row.deviation}
    return ImageRecord(file, {"age": row.age}, row.groups, deviations, split=split)


def _means(rows: Iterable[Sequence[str]]) -> list[ApparentAge]:
    """The rows of an image and two numbers; none where images repeat, as in a table of single votes."""
    found: dict[str, ApparentAge] = {}
    for row in rows:
        if len(row) == 3 and (age := number(row[1])) is not None:
            if row[0] in found:
                return []
            found[row[0]] = ApparentAge(row[0], age, number(row[2]))
    return list(found.values())
