"""Images inside a parquet file, in the form of the Hugging Face hub: a column of structs with bytes and a path.

Such an image has the name ``TABLE.parquet/ROW`` or ``TABLE.parquet/ROW/NAME`` among the files of a source, with rows
counted from 1.
"""

import functools
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow
import pyarrow.parquet

from suite.data.archive_safety import UnreadableFileError, check_content, check_size
from suite.files.parquet_footer import column_chunks

#: The images of a row group are unpacked together, and one group is kept in memory.
LARGEST_GROUP = 1_000_000_000  # bytes, as claimed
PARQUET = ".parquet"


def image_column(schema: pyarrow.Schema, named: tuple[str, ...]) -> str | None:
    """Return the column of image bytes: a struct with the field ``bytes``, or bytes in a column that is ``named``."""
    for field in schema:
        is_struct = pyarrow.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0
        if is_struct or (_is_bytes(field.type) and field.name.lower() in named):
            return str(field.name)
    return None


def _is_bytes(kind: pyarrow.DataType) -> bool:
    return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))


def row_of(name: str) -> tuple[str, int] | None:
    """Return the table and the row, from 1, of the name of an image in a parquet file; None for other names."""
    parts = PurePosixPath(name).parts
    for depth, part in enumerate(parts[:-1], start=1):
        if part.lower().endswith(PARQUET) and parts[depth].isdecimal():
            return str(PurePosixPath(*parts[:depth])), int(parts[depth])
    return None


def read_image(table: Path, row: int, named: tuple[str, ...]) -> bytes:
    """Read the image in a row, from 1.

    Raises:
        UnreadableFileError: The row has no image, or the file is damaged.
    """
    try:
        version = _Version(table, table.stat().st_mtime_ns, table.stat().st_size)
        group, start = _group_of(version, row)
        cell = _images(version, group, named)[row - 1 - start].as_py()
    except (pyarrow.ArrowException, OSError, IndexError, ValueError) as error:
        raise UnreadableFileError(f"the parquet is damaged here: {str(error)[:200]}") from None
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if not isinstance(content, bytes):
        raise UnreadableFileError("the row has no bytes of an image")
    check_size(len(content))
    return check_content(content)


@dataclass(frozen=True)
class _Version:
    """A file as it was when it was read, so that what is kept of it in memory is not used for a later one."""

    path: Path
    changed_ns: int
    size: int


def _group_of(table: _Version, row: int) -> tuple[int, int]:
    """The row group of a row, and the number of rows before it."""
    start = 0
    for group, rows in enumerate(_group_sizes(table)):
        if start < row <= start + rows:
            return group, start
        start += rows
    raise IndexError(f"it has {start:,} rows")


@functools.lru_cache(maxsize=8)
def _group_sizes(table: _Version) -> tuple[int, ...]:
    metadata = pyarrow.parquet.read_metadata(table.path)
    return tuple(metadata.row_group(n).num_rows for n in range(metadata.num_row_groups))


@functools.lru_cache(maxsize=1)
def _images(table: _Version, group: int, named: tuple[str, ...]) -> pyarrow.ChunkedArray:
    with pyarrow.parquet.ParquetFile(table.path) as file:
        column = image_column(file.schema_arrow, named)
        if column is None:
            raise IndexError("it has no column of images")
        chunks = column_chunks(table.path)[group]
        size = sum(chunk.size for chunk in chunks if chunk.path[:1] == (column,))
        if size > LARGEST_GROUP:
            raise UnreadableFileError(
                f"its row group has {size:,} bytes of images, over the limit of {LARGEST_GROUP:,}; write the parquet "
                "with smaller row groups"
            )
        images: pyarrow.ChunkedArray = file.read_row_group(group, columns=[column])[column]
        return images
