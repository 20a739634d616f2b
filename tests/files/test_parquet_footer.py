"""What a Parquet file claims to hold, read without pyarrow, which ends the process on some damaged footers."""

import contextlib
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.files.parquet_footer import ColumnChunk, column_chunks
from suite.files.reading import FileContentError, read_table

ROWS = st.lists(st.tuples(st.integers(-5, 5), st.text(max_size=3), st.lists(st.integers(0, 9), max_size=4)))


def table_of(rows: list[tuple[int, str, list[int]]]) -> pa.Table:
    numbers, texts, lists = ([row[n] for row in rows] for n in range(3))
    return pa.table({"number": numbers, "text": texts, "list": pa.array(lists, pa.list_(pa.int64()))})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, group=st.integers(1, 4))
def test_values_and_bytes_are_those_that_pyarrow_counts(
    tmp_path: Path, rows: list[tuple[int, str, list[int]]], group: int
) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(table_of(rows), path, row_group_size=group)
    metadata = pq.read_metadata(path)
    columns = [
        metadata.row_group(g).column(c)
        for g in range(metadata.num_row_groups)
        for c in range(metadata.num_columns)
    ]
    assert [chunk for group in column_chunks(path) for chunk in group] == [
        ColumnChunk(
            tuple(column.path_in_schema.split(".")), column.num_values, column.total_uncompressed_size
        )
        for column in columns
    ]


def test_a_damaged_footer_ends_no_process(tmp_path: Path) -> None:
    """In a process of its own, since what it guards against would end that of the tests."""
    path = tmp_path / "t.parquet"
    pq.write_table(table_of([(1, "a", [1, 2]), (2, "b", []), (3, "c", [3])]), path)
    code = f"from {__name__.rpartition('.')[2]} import read_damaged; read_damaged({str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]


def read_damaged(location: str) -> None:
    """Read a table with each byte of its footer changed in turn, and with several changed at once."""
    path, draw = Path(location), random.Random(0)
    whole = path.read_bytes()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    places = [[at] for at in range(start, len(whole))]
    places += [draw.choices(range(start, len(whole)), k=3) for _ in range(500)]
    for some in places:
        damaged = bytearray(whole)
        for at in some:
            damaged[at] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        with contextlib.suppress(FileContentError):
            read_table(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "too short"),
        (b"PAR1" + bytes(20), "no Parquet footer"),
        (b"PAR1" + bytes(4) + (5000).to_bytes(4, "little") + b"PAR1", "no Parquet footer"),
        (b"PAR1" + b"\x1c" * 200 + (200).to_bytes(4, "little") + b"PAR1", "nested too deeply"),
        (
            b"PAR1" + b"\x1b" + b"\x01\xbb" * 5000 + (10_001).to_bytes(4, "little") + b"PAR1",
            "nested too deeply",
        ),
        (b"PAR1" + b"\x19" * 200 + (200).to_bytes(4, "little") + b"PAR1", "nested too deeply"),
        (
            b"PAR1" + b"\x15" + b"\xff" * 20 + (21).to_bytes(4, "little") + b"PAR1",
            "a number that is too long",
        ),
        (b"PAR1" + b"\x49\xfc\xff\xff\x7f" + (5).to_bytes(4, "little") + b"PAR1", "ends too early"),
        (b"PAR1" + b"\x1d" + (1).to_bytes(4, "little") + b"PAR1", "a type that Thrift does not know"),
        (b"PAR1" + b"\x45\x02\x00" + (3).to_bytes(4, "little") + b"PAR1", "not have the fields"),
    ],
)
def test_a_footer_that_is_none_is_refused(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        column_chunks(path)
