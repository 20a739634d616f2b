"""Shared by ChaLearn's sets of apparent age: a table of means and deviations for each split."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import ImageRecord, ReadResult, SkippedFile
from suite.data.file_names import AmbiguousNameError
from suite.data.readers.layout import (
    SPLITS,
    ImageRows,
    NamedImages,
    Publication,
    ambiguous,
    common_folders,
    count_of_splits,
    no_image,
    out_of_range,
    sorted_result,
    split_of,
    visible,
    without_row,
)
from suite.data.readers.tables import (
    deviation_in,
    has_decimal_comma,
    is_text_table,
    not_a_number,
    number,
    rows_if_table,
)
from suite.data.readers.text_tables import Row
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split


@dataclass(frozen=True)
class ApparentAge:
    """The label of one image, as a table has it."""

    image: str
    age: float
    deviation: float | None
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SplitTable:
    """The table of a split: its file name, and its rows, some of which may be unusable."""

    name: str
    rows: Sequence[ApparentAge | SkippedFile]


def read_lap(files: SourceFiles, path: Path, publication: Publication, ages: LabelRange) -> ReadResult:
    """Read a set with a table ``image, mean, deviation`` for each of three splits.

    A folder or file name that contains train, val or test assigns a table and images to a split. Of several tables for
    one split the largest is taken, and the others are named.

    Raises:
        RequestError: There is no table, or all images of one are missing.
    """
    names = visible(files)
    common = common_folders(names)
    tables: dict[Split, SplitTable] = {}
    others: list[str] = []
    for name in filter(is_text_table, names):
        split = split_of(name, common)
        rows = _means(rows_if_table(files, name, path), PurePosixPath(name).name) if split else []
        if split and rows:
            table = SplitTable(name, rows)
            smaller, larger = sorted([tables.get(split, table), table], key=lambda one: len(one.rows))
            if smaller is not larger:
                others.append(smaller.name)
            tables[split] = larger
    return join_images(path, names, publication, ages, tables, others)


def join_images(
    path: Path,
    names: Sequence[str],
    publication: Publication,
    ages: LabelRange,
    tables: Mapping[Split, SplitTable],
    others: Sequence[str] = (),
) -> ReadResult:
    """Join the tables of the splits with their images.

    A split without a table is left out and named: the labels of a test split may not be published yet.

    Args:
        path: The source, for errors.
        names: Its files.
        publication: The set.
        ages: The label range.
        tables: The table of each split.
        others: Tables that are not used.

    Raises:
        RequestError: There is no table, or all images of one are missing.
    """
    if not tables:
        raise publication.missing(path, names, f"table of its {SPLITS[0]} images")
    common = common_folders(names)
    split_by_name = {name: split_of(name, common) for name in names}
    rows = ImageRows()
    split_of_image: dict[str, Split] = {}
    for split in filter(tables.__contains__, SPLITS):
        table = PurePosixPath(tables[split].name).name
        # Splits may number their images alike, so images of other splits are left out.
        images = NamedImages(name for name in names if split_by_name[name] in (split, None))
        found = [_record(row, images, split, table, ages) for row in tables[split].rows]
        if not any(one.file in split_by_name for one in found):
            raise publication.missing(path, names, f"image that {table} names")
        for one in found:
            if isinstance(one, SkippedFile):
                rows.skip(one)
                continue
            first = split_of_image.setdefault(one.file, split)
            twice = "twice" if first == split else "and so does the table of another split"
            rows.add(replace(one, split=first), repeated=f"{table} lists it, {twice}")
    records = rows.records
    skipped = [*rows.skipped, *_unlisted(names, split_by_name, tables, rows.listed)]
    counts = f"official splits {count_of_splits(records)}"
    notes = [f"no table of its {split} images" for split in SPLITS if split not in tables]
    notes += [f"{PurePosixPath(name).name} not used, which is smaller" for name in others]
    return sorted_result(records, skipped, "; ".join([publication.found(len(records)), counts, *notes]))


def _unlisted(
    names: Sequence[str],
    split_by_name: Mapping[str, Split | None],
    tables: Mapping[Split, SplitTable],
    listed: set[str],
) -> Iterator[SkippedFile]:
    """The images that no table lists; those of a split without a table are not lost, because they have no labels."""
    for one in without_row(names, listed, split_by_name):
        split = split_by_name[one.file]
        if split and split not in tables:
            yield SkippedFile(one.file, f"the source has no table of the {split} images")
        else:
            yield one


def _record(
    row: ApparentAge | SkippedFile, images: NamedImages, split: Split, table: str, ages: LabelRange
) -> ImageRecord | SkippedFile:
    image = row.file if isinstance(row, SkippedFile) else row.image
    if not image:
        return SkippedFile(table, "a row has an age but no image", lost=True)
    try:
        file = images.find(f"{image}_face.jpg") or images.find(image)
    except AmbiguousNameError as error:
        return ambiguous(image, table, error)
    if file is None:
        return no_image(image, table)
    if isinstance(row, SkippedFile):
        return SkippedFile(file, row.reason, lost=row.lost)
    if reason := out_of_range("age", row.age, ages):
        return SkippedFile(file, reason)
    deviations = {} if row.deviation is None else {"age": row.deviation}
    return ImageRecord(file, {"age": row.age}, row.groups, deviations, split=split)


def labelled(
    image: str, age: str, deviation: str, table: str, groups: Mapping[str, str] | None = None
) -> ApparentAge | SkippedFile:
    """Read the label of an image from the cells of its row; a cell that cannot be used makes the image lost."""
    value, spread = number(age), deviation_in(deviation, "age")
    if value is None:
        return SkippedFile(image, not_a_number(f"its age in {table}", age), lost=True)
    if isinstance(spread, str):
        return SkippedFile(image, spread, lost=True)
    return ApparentAge(image, value, spread, groups or {})


def _means(rows: Iterable[Row], table: str) -> list[ApparentAge | SkippedFile]:
    """The rows of an image and two numbers, below a header or not.

    There are none in another table or in a text, where most rows are not of this form, nor in a table of single votes,
    where images repeat.
    """
    found: list[ApparentAge | SkippedFile] = []
    images: set[str] = set()
    for count, row in enumerate(rows):
        image, age, deviation, *more = (cell or "" for cell, _ in zip_longest(row, range(3)))
        if any(more) or (len(row) < 3 and not count):
            return []
        is_number = number(age) is not None or has_decimal_comma(age)
        if count or is_number:  # else it is the header
            found.append(labelled(image, age, deviation, table))
            if is_number:
                images.add(image)
    return found if 2 * len(images) > len(found) else []
