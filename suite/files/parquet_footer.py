"""What the columns of a Parquet file claim to hold, read from its footer without pyarrow.

pyarrow ends the whole process on some damaged footers when its metadata of a column is asked for: the C++ exception
passes through a function that Python cannot catch it from. The footer is a Thrift struct in the compact protocol
(https://github.com/apache/parquet-format, ``parquet.thrift``), and six of its fields are enough.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

MAGIC = b"PAR1"
#: Of a footer, bytes. One of 10,000 columns has less than a tenth of it.
LARGEST_FOOTER = 16 << 20
#: Structs and lists within each other. ``parquet.thrift`` has fewer than ten.
DEEPEST = 32

# Ids of fields in ``parquet.thrift``.
_ROW_GROUPS, _COLUMNS, _COLUMN_METADATA = 4, 1, 3
_PATH, _NUM_VALUES, _TOTAL_UNCOMPRESSED = 3, 5, 6


class _Kind(IntEnum):
    """The types of the compact protocol."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    INT16 = 4
    INT32 = 5
    INT64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    SET = 10
    MAP = 11
    STRUCT = 12


@dataclass(frozen=True)
class ColumnChunk:
    """A column within a row group, as its footer describes it.

    Attributes:
        path: The names from the column down to the leaf.
        values: How many it claims to hold; a list counts by its entries.
        size: Bytes before compression.
    """

    path: tuple[str, ...]
    values: int
    size: int


def column_chunks(path: Path) -> list[list[ColumnChunk]]:
    """Return the columns of each row group of a Parquet file.

    Raises:
        ValueError: The file has no footer that can be read.
        OSError: It cannot be read at all.
    """
    groups = _structs(_Compact(_footer(path)).struct(), _ROW_GROUPS)
    return [[_chunk(column) for column in _structs(group, _COLUMNS)] for group in groups]


def _footer(path: Path) -> bytes:
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        if length < 12:
            raise ValueError("it is too short to be a Parquet file")
        file.seek(-8, os.SEEK_END)
        ending = file.read(8)
        size = int.from_bytes(ending[:4], "little")
        if ending[4:] != MAGIC or size > length - 12:
            raise ValueError("it has no Parquet footer")
        if size > LARGEST_FOOTER:
            raise ValueError(f"its footer claims {size:,} bytes, over the limit of {LARGEST_FOOTER:,}")
        file.seek(-8 - size, os.SEEK_END)
        return file.read(size)


def _chunk(column: dict[int, Any]) -> ColumnChunk:
    metadata = column.get(_COLUMN_METADATA)
    if not isinstance(metadata, dict):
        raise ValueError("a column of its footer has no metadata")
    path = metadata.get(_PATH)
    if not isinstance(path, list) or not all(isinstance(name, bytes) for name in path):
        raise ValueError("a column of its footer has no name")
    names = tuple(name.decode(errors="replace") for name in path)
    return ColumnChunk(names, _number(metadata, _NUM_VALUES), _number(metadata, _TOTAL_UNCOMPRESSED))


def _structs(fields: dict[int, Any], field: int) -> list[dict[int, Any]]:
    found = fields.get(field, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("its footer does not have the fields of a Parquet file")
    return found


def _number(fields: dict[int, Any], field: int) -> int:
    found = fields.get(field)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise ValueError("its footer does not have the numbers of a Parquet file")
    return found


class _Compact:
    """Reads Thrift's compact protocol: a struct becomes a dict by field id, a list or set becomes a list."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._depth = data, 0, 0

    def struct(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        field = 0
        while header := self._byte():
            field = field + (header >> 4) if header >> 4 else self._zigzag()
            kind = header & 15
            is_flag = kind in (_Kind.TRUE, _Kind.FALSE)  # its value is its type
            fields[field] = kind == _Kind.TRUE if is_flag else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        match kind:
            case _Kind.TRUE | _Kind.FALSE | _Kind.BYTE:  # a flag within a list has a byte of its own
                return self._byte()
            case _Kind.INT16 | _Kind.INT32 | _Kind.INT64:
                return self._zigzag()
            case _Kind.DOUBLE:
                return self._bytes(8)
            case _Kind.BINARY:
                return self._bytes(self._varint())
            case _Kind.LIST | _Kind.SET:
                return self._nested(self._list)
            case _Kind.MAP:
                return self._nested(self._map)
            case _Kind.STRUCT:
                return self._nested(self.struct)
        raise ValueError("its footer has a type that Thrift does not know")

    def _nested(self, read: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("its footer is nested too deeply")
        value = read()
        self._depth -= 1
        return value

    def _list(self) -> list[Any]:
        header = self._byte()
        size = self._within(self._varint() if header >> 4 == 15 else header >> 4)
        return [self._value(header & 15) for _ in range(size)]

    def _map(self) -> list[tuple[Any, Any]]:
        if not (size := self._within(self._varint())):
            return []
        kinds = self._byte()
        return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(size)]

    def _within(self, size: int) -> int:
        """Every entry has a byte at least, so that no claimed size takes longer than the footer is."""
        if size > len(self._data) - self._at:
            raise ValueError("its footer ends too early")
        return size

    def _bytes(self, size: int) -> bytes:
        self._within(size)
        self._at += size
        return self._data[self._at - size : self._at]

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _varint(self) -> int:
        number = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
        raise ValueError("its footer has a number that is too long")

    def _zigzag(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
