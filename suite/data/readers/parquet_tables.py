"""Parquet tables of labels, read within limits: a few bytes of such a file can stand for any number of cells."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from suite.data.archive_safety import UnreadableFileError
from suite.data.parquet_images import image_column
from suite.data.readers.tables import Records, check_columns
from suite.data.readers.text_tables import MOST_ROWS
from suite.data.source_files import SourceFiles, name_of_table, open_table
from suite.errors import RequestError, first_line

LARGEST_TABLE = 1_000_000_000  # bytes in memory, without images
LONGEST_CELL = 10_000  # characters
#: The column of the names of images that are in the table itself.
EMBEDDED = "image"
_BATCH = 1024  # rows


def read_parquet(files: SourceFiles, name: str, path: Path, named: tuple[str, ...]) -> tuple[Records, bool]:
    """Read a parquet table as text, a missing value as "". Columns of lists, structs and bytes are left out.

    Args:
        files: The files of the source.
        name: The table.
        path: The source, for errors.
        named: The columns that may hold images as bytes.

    Returns:
        The table, and whether it has the images in itself. Its column "image" then names them as
        ``suite.data.parquet_images`` describes.

    Raises:
        RequestError: The file is not a parquet, or too large.
    """
    source = name_of_table(name, path)
    try:
        opened = open_table(files, name)
        parquet = pyarrow.parquet.ParquetFile(opened)
        schema = parquet.schema_arrow
        flat = [field.name for field in schema if _is_flat(field.type)]
        texts = [field.name for field in schema if _is_text(field.type)]
        # A long text that many rows share is then read once.
        parquet = pyarrow.parquet.ParquetFile(opened, read_dictionary=texts)
    except (pyarrow.ArrowException, OSError, ValueError, UnreadableFileError) as error:
        raise _unreadable(source, error) from None
    if parquet.metadata.num_rows > MOST_ROWS:
        raise RequestError(
            f"{source} claims to have {parquet.metadata.num_rows:,} rows, over the limit of {MOST_ROWS:,}; split it "
            "into several sets"
        )
    check_columns([column.lower() for column in schema.names], source)
    images = image_column(schema, named)
    if images and isinstance(opened, io.BytesIO):
        raise RequestError(f"{source} has its images in itself; unpack the archive, and name the table")
    kept = [column for column in flat if not (images and column.lower() in named)]
    columns = [column.lower() for column in kept] + ([EMBEDDED] if images else [])
    rows = _rows(parquet, kept, images, PurePosixPath(name).name, source)
    unread = {column.name.lower(): str(column.type) for column in schema if column.name not in flat}
    return Records(columns, rows, unread), images is not None


def _rows(
    parquet: pyarrow.parquet.ParquetFile, columns: Sequence[str], images: str | None, table: str, source: str
) -> Iterator[Mapping[str, str]]:
    schema = parquet.schema_arrow
    is_struct = images is not None and pyarrow.types.is_struct(schema.field(images).type)
    has_path = is_struct and schema.field(images).type.get_field_index("path") >= 0
    size, number = 0, 0
    try:
        # Without any column, pyarrow would yield no rows.
        for batch in parquet.iter_batches(
            _BATCH, columns=[*columns, *([f"{images}.path"] if has_path else [])]
        ):
            size += batch.nbytes
            if size > LARGEST_TABLE or _longest(batch) > LONGEST_CELL:
                raise RequestError(
                    f"{source} unpacks to more than the limit of {LARGEST_TABLE:,} bytes, or of {LONGEST_CELL:,} for "
                    "a cell; leave out columns that are not needed"
                )
            for row in batch.to_pylist():
                number += 1
                cells = {column.lower(): _text(row[column]) for column in columns}
                if images:
                    stored = (row[images] or {}).get("path") if has_path else None
                    base = PurePosixPath(str(stored or "").replace("\\", "/")).name
                    cells[EMBEDDED] = f"{table}/{number}/{base}" if base else f"{table}/{number}"
                yield cells
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(source, error) from None


def _longest(batch: pyarrow.RecordBatch) -> int:
    """The bytes of the longest text in the dictionaries of a batch."""
    texts = [column.dictionary for column in batch.columns if pyarrow.types.is_dictionary(column.type)]
    return max((pyarrow.compute.max(pyarrow.compute.binary_length(t)).as_py() or 0 for t in texts), default=0)


def _is_text(kind: pyarrow.DataType) -> bool:
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))


def _is_flat(kind: pyarrow.DataType) -> bool:
    if pyarrow.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return _is_text(kind) or bool(
        pyarrow.types.is_integer(kind)
        or pyarrow.types.is_floating(kind)
        or pyarrow.types.is_boolean(kind)
        or pyarrow.types.is_decimal(kind)
        or pyarrow.types.is_temporal(kind)
    )


def _text(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if missing else str(value).strip()


def _unreadable(source: str, error: Exception) -> RequestError:
    reason = first_line(error)
    return RequestError(f"{source} is not a readable parquet file ({reason}); write it again")
