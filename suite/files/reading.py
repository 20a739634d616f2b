"""Reading small files that somebody else may have written: JSON and Parquet, checked before they are believed.

Every fault becomes a ``FileContentError`` with the reason in a few words. The caller knows what the file is for, and
makes the sentence with its remedy.
"""

import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from suite.errors import first_line
from suite.files.parquet_footer import column_chunks

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

T = TypeVar("T")

#: Several times the largest that the suite writes. They keep a forged file from filling the memory.
LARGEST_JSON = 64_000_000  # bytes
LARGEST_WEIGHTS = 4_500_000_000  # bytes of weights or of a model: eight times VGG-16 in float32
LARGEST_DESCRIPTION = 2_000_000  # bytes, of run.json and store.json
LARGEST_TABLE = 1_000_000_000  # bytes when unpacked
MOST_CELLS = 30_000_000  # values in lists count as well
_BATCH = 65_536  # rows that are unpacked at a time
#: The range of whole numbers in every table and tensor shape.
LARGEST_INTEGER = 2**63 - 1
#: Levels of lists and objects in JSON; whatever reads the values by recursion then has room for it.
DEEPEST = 50
#: What may be under the name of a JSON file, by how it begins.
_TEXT_KINDS: Mapping[str, str] = {
    r"version https://git-lfs": "a pointer of Git LFS; get the file with 'git lfs pull'",
    r"(?i)<!doctype html|<html": "a web page",
    r"<": "XML",
    r"---(\s|$)|[A-Za-z_][\w-]*:(\s|$)|- [\w'\"]": "YAML",
    r"[\w ]+(,[\w ]+)+\n": "a CSV table",
}


class FileContentError(Exception):
    """A file that cannot be read as what it should be; the message is the reason."""


def check_regular(path: Path, largest: int) -> None:
    """Check that a path is a regular file of at most ``largest`` bytes that may be opened. A pipe would block.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It is something else, larger, or closed to this user.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise FileContentError("it is not a regular file")
        if found.st_size > largest:
            raise FileContentError(f"it has {found.st_size:,} bytes, over the limit of {largest:,}")
        path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise FileContentError(error.strerror or type(error).__name__) from None
    except ValueError:  # a null byte in the name
        raise FileNotFoundError(path) from None


def open_at_once(path: Path) -> BinaryIO:
    """Open a file for reading; opening a pipe so does not wait for somebody who writes to it.

    Raises:
        OSError: It cannot be opened.
    """
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))


def read_text(path: Path, *, largest: int = LARGEST_JSON) -> str:
    """Read a UTF-8 file.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It is not a regular file, too large, closed to this user, or not UTF-8.
    """
    check_regular(path, largest)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileContentError("it is not UTF-8 text") from None
    except OSError as error:
        raise FileContentError(error.strerror or type(error).__name__) from None


def parse_json(text: str | bytes, *, infinite: bool = False) -> Any:
    """Parse JSON whose numbers fit a 64-bit integer or a finite float.

    ``NaN`` is allowed. The words for infinity are only where ``infinite`` says so.

    Raises:
        FileContentError: It is not such JSON.
    """
    try:
        document = json.loads(
            text, parse_int=_integer, parse_float=_float, parse_constant=float if infinite else _constant
        )
        _check_depth(document, DEEPEST)
    except RecursionError:
        raise FileContentError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        kind = _resembled(text if isinstance(text, str) else text[:1000].decode("utf-8", "replace"))
        raise FileContentError(f"it is not JSON but {kind}" if kind else f"it is not JSON: {error}") from None
    except ValueError as error:
        raise FileContentError(f"it is not JSON: {error}") from None
    return document


def _resembled(text: str) -> str:
    """What a text that is no JSON seems to be, by its beginning; empty where that says nothing."""
    start = text[:1000].strip()
    if not start:
        return "empty" if not text.strip() else ""
    return next((kind for pattern, kind in _TEXT_KINDS.items() if re.match(pattern, start)), "")


def schema_version(fields: Mapping[str, Any]) -> int:
    """Return the ``schema_version`` of a description.

    Raises:
        FileContentError: It is no whole number.
    """
    version = fields["schema_version"]
    if not isinstance(version, int) or isinstance(version, bool):
        said = json.dumps(version)
        raise FileContentError(f"its schema_version is {said[:40]}, which is no whole number")
    return version


def parse_typed(text: str | bytes, kind: type[T]) -> T:
    """Parse JSON as a dataclass. Types are checked strictly, and unknown fields are ignored.

    Raises:
        FileContentError: It is not JSON, or a field is missing or has another type. The message names the field.
    """
    return typed(parse_json(text), kind)


def typed(document: Any, kind: type[T]) -> T:
    """Return the result of ``parse_json`` as a dataclass; see ``parse_typed``."""
    from pydantic import ValidationError

    try:
        text = json.dumps(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise FileContentError(f"it holds what JSON cannot: {error}"[:200]) from None
    try:
        found: T = _adapter(cast(Any, kind)).validate_json(text, strict=True)
        return found
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise FileContentError(f"field {field!r}: {first['msg']}" if field else first["msg"]) from None


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def read_table(path: Path, *, columns: Mapping[str, str] | None = None) -> "pd.DataFrame":
    """Read a Parquet table within limits: first of what it claims to hold, then of what it unpacks to.

    Args:
        path: The file.
        columns: The kinds of columns that must have one where they exist: "number", "text" or "flag".

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It is not Parquet, damaged, too large when unpacked, or a column has another type.
    """
    import pyarrow as pa

    check_regular(path, LARGEST_TABLE)
    try:
        frame: pd.DataFrame = _unpacked(path).to_pandas()
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise FileContentError(first_line(error)) from None
    if not frame.columns.is_unique:
        raise FileContentError(
            f"it has the column {str(frame.columns[frame.columns.duplicated()][0])[:40]!r} twice"
        )
    for column, kind in (columns or {}).items():
        if column in frame and not _is(frame[column], kind):
            raise FileContentError(f"column {column!r} holds something other than {kind}s")
    return frame


def _unpacked(path: Path) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        _check_claims(path, file.metadata)
        schema = file.schema_arrow
        texts = _text_columns(file.schema)
    size, batches = 0, []
    # A text that many rows share is read once, and its size is known before it is repeated for each of them.
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        for batch in file.iter_batches(_BATCH):
            _check_unpacked(size + sum(map(_text_bytes, batch.columns)))
            batches.append(pa.Table.from_batches([batch]).cast(schema))
            size += batches[-1].nbytes
            _check_unpacked(size)
    return pa.concat_tables(batches) if batches else schema.empty_table()


def _check_claims(path: Path, metadata: "pq.FileMetaData") -> None:
    # The rows times the columns would count a list of any length as one.
    chunks = [chunk for group in column_chunks(path) for chunk in group]
    cells = max(sum(chunk.values for chunk in chunks), metadata.num_rows * max(metadata.num_columns, 1))
    if cells > MOST_CELLS:
        raise FileContentError(f"it claims {cells:,} cells, over the limit of {MOST_CELLS:,}")
    size = sum(chunk.size for chunk in chunks)
    if size > LARGEST_TABLE:
        raise FileContentError(f"it claims {size:,} bytes, over the limit of {LARGEST_TABLE:,}")


def _check_unpacked(size: int) -> None:
    if size > LARGEST_TABLE:
        raise FileContentError(f"it unpacks to more than the limit of {LARGEST_TABLE:,} bytes")


def _text_columns(schema: "pq.ParquetSchema") -> list[str]:
    """Return the columns of text and bytes, also those within lists and structs."""
    leaves = [schema.column(n) for n in range(len(schema))]
    return [
        leaf.path
        for leaf in leaves
        if leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type != "DECIMAL"
    ]


def _text_bytes(array: "pa.Array") -> int:
    """Return how many bytes the texts of a column have when each value has its own copy."""
    import pyarrow.compute as pc

    return sum(
        pc.sum(pc.binary_length(encoded.dictionary).take(encoded.indices)).as_py() or 0
        for encoded in _dictionaries(array)
        if len(encoded.dictionary)
    )


def _dictionaries(array: "pa.Array") -> "Iterator[pa.DictionaryArray]":
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        yield array
    elif pa.types.is_struct(kind):
        for n in range(kind.num_fields):
            yield from _dictionaries(array.field(n))
    elif pa.types.is_map(kind):
        yield from _dictionaries(array.keys)
        yield from _dictionaries(array.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _dictionaries(array.values)


def _is(column: "pd.Series[Any]", kind: str) -> bool:
    import pandas as pd

    known = column.dropna()
    if kind == "number":
        return pd.api.types.is_numeric_dtype(column) or not len(known)
    if kind == "flag":
        return pd.api.types.is_bool_dtype(known) or not len(known)
    return all(isinstance(value, str) for value in known)


def _check_depth(value: Any, levels: int) -> None:
    if not isinstance(value, list | dict):
        return
    if levels == 0:
        raise RecursionError
    for part in value.values() if isinstance(value, dict) else value:
        _check_depth(part, levels - 1)


def _integer(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > LARGEST_INTEGER:
        raise ValueError("a whole number is out of range")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is out of range")
    return value


def _constant(text: str) -> float:
    if text != "NaN":
        raise ValueError("a number is infinite")
    return math.nan
