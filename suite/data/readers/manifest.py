"""A manifest: your own data set, as a table (CSV or parquet) with one row per image.

Columns, in any order and any case:

- ``path`` of the image, relative to the folder of the table (or ``file``, ``image``);
- ``age`` or ``attractiveness``, or both; or ``value``, with the attribute given on the command line;
- optional: ``deviation`` of the annotators (or ``age_std``, ``attractiveness_std``), ``subject``, ``split``
  (train, val or test); in pixels of the upright image, the crop box ``left``, ``top``, ``right``, ``bottom``,
  and for an alignment ``left_eye_x``, ``left_eye_y`` and so on (``landmarks.POINT_COLUMNS``);
- every other column is a group, such as ``gender``.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

import pyarrow
import pyarrow.parquet

from suite.data.dataset_reader import DatasetReader, ImageRecord, ReadResult, SkippedFile
from suite.data.file_names import FileNames, spelling_on_disk
from suite.data.readers.landmarks import BOX, POINT_COLUMNS, box_of_row, points_of_row
from suite.data.readers.layout import out_of_range, split_of, visible
from suite.data.readers.tables import number, read_bytes, read_records
from suite.data.source_files import TABLES, SourceFiles
from suite.data.store import LabelRange
from suite.errors import RequestError
from suite.trial import Attribute

RANGES: Mapping[str, LabelRange] = {
    "age": LabelRange(0, 120, 1),
    "attractiveness": LabelRange(1, 5, 0.1),
}
PATHS = ("path", "file", "image")
#: Keeps a forged parquet file, in which a few bytes can stand for any number of rows, from filling the memory.
MOST_ROWS = 10_000_000
LARGEST_TABLE = 2_000_000_000  # bytes in memory
#: Columns that are not groups.
_RESERVED = frozenset({*PATHS, "value", "deviation", "subject", "split", "source", *BOX, *POINT_COLUMNS})


def read(files: SourceFiles, path: Path, *, attribute: Attribute | None) -> ReadResult:
    """List the images of a manifest.

    Args:
        files: The folder or archive that holds the table.
        path: The table, or the folder or archive.
        attribute: The attribute in the column ``value``; None where columns are named by their attributes.

    Raises:
        RequestError: There is no table or more than one, or it lacks a column.
    """
    table, loose = _table(files, path)
    rows = _rows(files, table, path)
    columns = list(rows[0]) if rows else []
    source = f"{table} of {path}" if loose is None else str(path)
    image = next((column for column in PATHS if column in columns), None)
    if image is None:
        if not rows:
            raise RequestError(f"{source} has no rows below its header; write a row for each image")
        raise RequestError(
            f"{source} has no column 'path', only {', '.join(columns)}; rename the column of the files to 'path'"
        )
    labels = _label_columns(columns, attribute, source)
    groups = [c for c in columns if c not in _RESERVED and c.removesuffix("_std") not in RANGES]
    folder = PurePosixPath(table).parent
    parsed = [
        _parse(row, str(folder / file), labels, groups)
        if (file := row.get(image, ""))
        else SkippedFile(table, f"row {number_of_row} has no image", lost=True)
        for number_of_row, row in enumerate(rows, start=1)
    ]
    known = FileNames(visible(files)) if loose is None else None
    records: dict[str, ImageRecord] = {}
    skipped: list[SkippedFile] = []
    for one in parsed:
        if isinstance(one, SkippedFile):
            skipped.append(one)
            continue
        name = known.find(one.file) if known is not None else spelling_on_disk(path.parent, one.file)
        if name is None:
            skipped.append(SkippedFile(one.file, f"{table} lists it, but there is no such image", lost=True))
        elif name in records:
            skipped.append(SkippedFile(name, f"{table} lists it twice"))
        else:
            records[name] = replace(one, file=name)
    return ReadResult(
        list(records.values()), skipped, f"{len(records):,} of {len(rows):,} rows of {table}", groups
    )


def _table(files: SourceFiles, path: Path) -> tuple[str, Path | None]:
    """The name of the table among the files, and its path where ``path`` is the table itself."""
    if path.suffix.lower() in TABLES:
        return path.name, path
    tables = [name for name in visible(files) if name.lower().endswith(TABLES)]
    if len(tables) != 1:
        listed = f" ({', '.join(tables[:3])})" if tables else ""
        raise RequestError(
            f"{path} has {len(tables)} tables{listed}; a manifest is one CSV or parquet file with columns "
            "path and age or attractiveness: name the file itself"
        )
    return tables[0], None


def _rows(files: SourceFiles, table: str, path: Path) -> Sequence[Mapping[str, str]]:
    if not table.lower().endswith(".parquet"):
        return read_records(files, table, path)
    content = read_bytes(files, table, path)
    try:
        parquet = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        if parquet.metadata.num_rows > MOST_ROWS:
            raise RequestError(
                f"{table} of {path} claims to have {parquet.metadata.num_rows:,} rows, over the limit of "
                f"{MOST_ROWS:,}; split it into several sets"
            )
        rows, size = [], 0
        for batch in parquet.iter_batches(1024):
            size += batch.nbytes
            if size > LARGEST_TABLE:
                raise RequestError(
                    f"{table} of {path} unpacks to more than the limit of {LARGEST_TABLE:,} bytes; leave out "
                    "columns that are not needed"
                )
            rows += batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise RequestError(
            f"{table} of {path} is not a readable parquet file ({error}); write it again"
        ) from None
    return [{name.lower(): "" if v is None else str(v) for name, v in row.items()} for row in rows]


def _label_columns(
    columns: Sequence[str], attribute: Attribute | None, source: str
) -> Mapping[str, tuple[str, str]]:
    """The columns of label and deviation, by attribute."""
    found = {name: (name, f"{name}_std") for name in RANGES if name in columns}
    if attribute and attribute not in found and "value" in columns:
        found = {attribute: ("value", "deviation")}
    if attribute and attribute not in found:
        raise RequestError(
            f"{source} has no column 'value' or {attribute!r}; its columns: {', '.join(columns)}"
        )
    if not found:
        raise RequestError(
            f"{source} has no column 'age' or 'attractiveness'; its columns: {', '.join(columns)}; with a "
            "column 'value', add --attribute age or --attribute attractiveness"
        )
    if len(found) == 1:  # the column "deviation" is then unambiguous
        ((name, (label, deviation)),) = found.items()
        return {name: (label, deviation if deviation in columns else "deviation")}
    return found


def _parse(
    row: Mapping[str, str],
    file: str,
    columns: Mapping[str, tuple[str, str]],
    groups: Sequence[str],
) -> ImageRecord | SkippedFile:
    labels: dict[str, float] = {}
    deviations: dict[str, float] = {}
    for attribute, (label, deviation) in columns.items():
        value, spread = number(row.get(label)), number(row.get(deviation))
        if value is None:
            return SkippedFile(
                file, f"the {attribute} is {row.get(label)!r}, which is not a number", lost=True
            )
        if reason := out_of_range(attribute, value, RANGES[attribute]):
            return SkippedFile(file, reason)
        if spread is not None and spread < 0:
            return SkippedFile(file, f"the deviation of the {attribute} is {spread:g}, below 0")
        labels[attribute] = value
        if spread is not None:
            deviations[attribute] = spread
    split_name, crop = row.get("split", ""), box_of_row(row)
    split = split_of(split_name) if split_name else None
    if split_name and split is None:
        return SkippedFile(file, f"the split is {split_name!r}, none of train, val and test")
    if isinstance(crop, str):
        return SkippedFile(file, crop)
    return ImageRecord(
        file,
        labels,
        {group: row.get(group, "") for group in groups},
        deviations,
        subject=row.get("subject", ""),
        split=split,
        crop=crop,
        face=points_of_row(row) or crop,
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
