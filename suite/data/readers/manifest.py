"""A manifest: your own data set, as a table (text or parquet) with one row per image.

Columns, in any order and any case:

- ``path`` of the image, relative to the folder of the table (or ``file``, ``image``); a parquet may have the images
  in itself instead, as the Hugging Face hub stores them;
- ``age`` or ``attractiveness``, or both; or ``value``, with the attribute given on the command line;
- optional: ``deviation`` of the annotators (or ``age_std``, ``attractiveness_std``), ``subject``, ``split``
  (train, val or test); in pixels of the upright image, the crop box ``left``, ``top``, ``right``, ``bottom``,
  and for an alignment ``left_eye_x``, ``left_eye_y`` and so on (``landmarks.POINT_COLUMNS``);
- every other column is a group, such as ``gender``.

An empty optional cell says nothing. An image with a cell that says something unusable is left out and counts as lost,
because taking it without that cell would be a guess.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.file_names import AmbiguousNameError, FileNames, NamesOnDisk
from suite.data.parquet_images import PARQUET
from suite.data.readers.landmarks import BOX, POINT_COLUMNS, box_of_row, points_of_row
from suite.data.readers.layout import ImageRows, ambiguous, no_image, out_of_range, split_of, visible
from suite.data.readers.parquet_tables import read_parquet
from suite.data.readers.tables import Records, deviation_in, not_a_number, number, read_records
from suite.data.source_files import IMAGE_COLUMNS, TABLES, SourceFiles, is_table, name_of_table
from suite.data.store import LabelRange
from suite.errors import RequestError
from suite.trial import Attribute

RANGES: Mapping[str, LabelRange] = {
    "age": LabelRange(0, 120, 1),
    "attractiveness": LabelRange(1, 5, 0.1),
}
#: Columns that are not groups.
_RESERVED = frozenset(
    {*IMAGE_COLUMNS, "value", "deviation", "subject", "split", "source", *BOX, *POINT_COLUMNS}
)
#: Words for a missing value. As a subject they would make one person of all whose name is not known.
_MISSING = frozenset({"na", "n/a", "nan", "none", "null", "?", "-"})


@dataclass(frozen=True)
class _Columns:
    """What the columns of a manifest mean."""

    image: str
    labels: Mapping[str, tuple[str, str]]  # label and deviation, by attribute
    groups: Sequence[str]


def read(files: SourceFiles, path: Path, *, attribute: Attribute | None) -> ReadResult:
    """List the images of a manifest.

    Args:
        files: The folder or archive that holds the table.
        path: The table, or the folder or archive.
        attribute: The attribute in the column ``value``; None where columns are named by their attributes.

    Raises:
        RequestError: There is no table or more than one, it lacks a column, or a row breaks its form.
    """
    loose = is_table(path)
    table = path.name if loose else _only_table(files, path)
    source = name_of_table(table, path)
    if table.lower().endswith(PARQUET):
        records, embedded = read_parquet(files, table, path, IMAGE_COLUMNS)
    else:
        records, embedded = read_records(files, table, path), False
    if embedded:
        return _images(records, table, source, attribute, find=str)
    find = NamesOnDisk(path.parent).find if loose else FileNames(visible(files)).find
    return _images(records, table, source, attribute, find)


def _only_table(files: SourceFiles, path: Path) -> str:
    tables = [name for name in visible(files) if name.lower().endswith(TABLES)]
    if len(tables) != 1:
        listed = f" ({', '.join(tables[:3])})" if tables else ""
        raise RequestError(
            f"{path} has {len(tables)} tables{listed}; a manifest is one CSV or parquet file with columns "
            "path and age or attractiveness: name the file itself"
        )
    return tables[0]


def _images(
    table: Records, name: str, source: str, attribute: Attribute | None, find: Callable[[str], str | None]
) -> ReadResult:
    """The images of a table.

    Args:
        table: The table.
        name: Its file name, relative to the source.
        source: What errors call it.
        attribute: As for ``read``.
        find: Returns the name that a file has in the source, however the table spells it; None where there is none.
    """
    first = next(table.rows, None)
    if first is None:
        raise RequestError(f"{source} has no rows below its header; write a row for each image")
    columns = _meaning(table, attribute, source)
    folder = PurePosixPath(name).parent
    rows = ImageRows()
    count = 0
    for count, row in enumerate(chain([first], table.rows), start=1):
        if not row.get(columns.image, ""):
            rows.skip(SkippedFile(name, f"row {count} has no image", lost=True))
            continue
        one = _parse(row, str(folder / row[columns.image]), columns)
        try:
            file = find(one.file)
        except AmbiguousNameError as error:
            rows.skip(ambiguous(one.file, name, error))
            continue
        if isinstance(one, SkippedFile):
            rows.skip(replace(one, file=file or one.file))
        elif file is None:
            rows.skip(no_image(one.file, name))
        else:
            rows.add(replace(one, file=file), repeated=f"{name} lists it twice")
    records = rows.records
    found = f"{len(records):,} of {count:,} rows of {name}"
    return ReadResult(records, list(rows.skipped), found, columns.groups)


def _meaning(table: Records, attribute: Attribute | None, source: str) -> _Columns:
    columns = table.columns
    image = next((column for column in IMAGE_COLUMNS if column in columns), None)
    labels = [column for column in (*RANGES, "value") if column in columns]
    needed = [*(() if image else IMAGE_COLUMNS), *(() if labels else (*RANGES, "value"))]
    for column in filter(table.unread.__contains__, needed):
        raise RequestError(
            f"the column {column!r} of {source} is of type {table.unread[column][:80]}, which is not read; write text "
            "or numbers into it"
        )
    if image is None:
        raise RequestError(
            f"{source} has no column 'path', only {', '.join(columns)[:200]}; rename the column of the files to 'path'"
        )
    groups = [c for c in columns if c not in _RESERVED and c.removesuffix("_std") not in RANGES]
    return _Columns(image, _label_columns(columns, attribute, source), groups)


def _label_columns(
    columns: Sequence[str], attribute: Attribute | None, source: str
) -> Mapping[str, tuple[str, str]]:
    """The columns of label and deviation, by attribute."""
    found = {name: (name, f"{name}_std") for name in RANGES if name in columns}
    if attribute and attribute not in found and "value" in columns:
        found = {attribute: ("value", "deviation")}
    if attribute and attribute not in found:
        raise RequestError(
            f"{source} has no column 'value' or {attribute!r}; its columns: {', '.join(columns)[:200]}"
        )
    if not found:
        raise RequestError(
            f"{source} has no column 'age' or 'attractiveness'; its columns: {', '.join(columns)[:200]}; with a "
            "column 'value', add --attribute age or --attribute attractiveness"
        )
    if len(found) == 1:  # the column "deviation" is then unambiguous
        ((name, (label, deviation)),) = found.items()
        return {name: (label, deviation if deviation in columns else "deviation")}
    return found


def _parse(row: Mapping[str, str], file: str, columns: _Columns) -> ImageRecord | SkippedFile:
    labels: dict[str, float] = {}
    deviations: dict[str, float] = {}
    for attribute, (label, deviation) in columns.labels.items():
        value, spread = number(row.get(label)), deviation_in(row.get(deviation, ""), attribute)
        if value is None:
            return SkippedFile(file, not_a_number(f"the {attribute}", row.get(label, "")), lost=True)
        if reason := out_of_range(attribute, value, RANGES[attribute]):
            return SkippedFile(file, reason)
        if isinstance(spread, str):
            return SkippedFile(file, spread, lost=True)
        labels[attribute] = value
        if spread is not None:
            deviations[attribute] = spread
    subject, split_name = row.get("subject", ""), row.get("split", "")
    if subject.lower() in _MISSING:
        return SkippedFile(file, f"the subject is {subject!r}; leave it empty where it is unknown", lost=True)
    split, crop, points = split_of(split_name) if split_name else None, box_of_row(row), points_of_row(row)
    if split_name and split is None:
        return SkippedFile(file, f"the split is {split_name[:40]!r}, none of train, val and test", lost=True)
    if isinstance(crop, str):
        return SkippedFile(file, crop, lost=True)
    if isinstance(points, str):
        return SkippedFile(file, points, lost=True)
    return ImageRecord(
        file,
        labels,
        {group: row.get(group, "") for group in columns.groups},
        deviations,
        subject=subject,
        split=split,
        crop=crop,
        face=points or crop,
    )


def manifest_reader(attribute: Attribute | None = None) -> DatasetReader:
    """Make the reader of a manifest; ``attribute`` is that of the column ``value``, if there is one."""
    return DatasetReader(
        name="manifest",
        description="your own images: a CSV or parquet with columns path and age or attractiveness",
        origin="A manifest of your own images",
        attributes=RANGES,
        groups=(),
        read=partial(read, attribute=attribute),
    )


MANIFEST = manifest_reader()
