"""Small files that somebody else may have written."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from suite.files import reading
from suite.files.reading import FileContentError, check_regular, parse_json, parse_typed, read_table


@dataclass(frozen=True)
class Inner:
    low: float


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    error: float
    inner: Mapping[str, Inner]
    words: Sequence[str] = ()


GOOD = '{"name": "a", "count": 3, "error": 7, "inner": {"age": {"low": 1}}, "words": ["x"], "new": 1}'


def test_a_document_becomes_its_dataclass_and_fields_of_later_versions_are_ignored() -> None:
    read = parse_typed(GOOD, Outer)
    assert read == Outer("a", 3, 7.0, {"age": Inner(1.0)}, ["x"])
    assert math.isnan(parse_typed(GOOD.replace("7", "NaN"), Outer).error)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"a"', "1", "'name'"),
        ("3", '"3"', "'count'"),
        ("3", "3.0", "'count'"),
        ("3", "true", "'count'"),
        ('{"low": 1}', "[]", "'inner.age'"),
        ('["x"]', '"x"', "'words'"),
        ('"count": 3, ', "", "'count'"),
        ("3", "1" + "0" * 400, "out of range"),
        ("7", "1e999", "out of range"),
        ("7", "Infinity", "infinite"),
        ('["x"]', "[" * 100_000 + "]" * 100_000, "nested"),
        ('"a"', '"a', "not JSON"),
    ],
)
def test_another_type_is_refused_with_its_field(old: str, new: str, reason: str) -> None:
    with pytest.raises(FileContentError, match=reason):
        parse_typed(GOOD.replace(old, new, 1), Outer)


def test_a_list_is_no_document() -> None:
    with pytest.raises(FileContentError):
        parse_typed("[1]", Outer)
    assert parse_json("[1]") == [1]


def test_a_pipe_a_folder_and_a_large_file_are_refused_without_being_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"12345")
    for name in ("pipe", ".", "large"):
        with pytest.raises(FileContentError):
            check_regular(tmp_path / name, 4)
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / "none", 4)
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / "a\0b", 4)


def test_a_table_of_other_types_or_damaged_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": ["a", None], "error": [1.0, None]}).to_parquet(path)
    assert len(read_table(path, columns={"id": "text", "error": "number", "absent": "flag"})) == 2
    for columns in ({"id": "number"}, {"error": "text"}, {"error": "flag"}):
        with pytest.raises(FileContentError, match="column"):
            read_table(path, columns=columns)
    whole = path.read_bytes()
    for content in (
        b"",
        whole[: len(whole) // 2],
        json.dumps({}).encode(),
        whole[:4] + bytes(len(whole) - 4),
    ):
        path.write_bytes(content)
        with pytest.raises(FileContentError):
            read_table(path)


def test_a_small_table_that_claims_many_rows_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": np.zeros(200_000)}), path)
    assert path.stat().st_size < 50_000
    monkeypatch.setattr(reading, "MOST_CELLS", 100_000)
    with pytest.raises(FileContentError, match="claims 200,000 cells"):
        read_table(path)


def test_the_values_of_lists_count_as_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": [[0] * 2_000]}), path)
    monkeypatch.setattr(reading, "MOST_CELLS", 1_000)
    with pytest.raises(FileContentError, match="claims 2,000 cells"):
        read_table(path)


@pytest.mark.parametrize("cells", [["a" * 10_000] * 500, [["a" * 10_000]] * 500, [{"x": "a" * 10_000}] * 500])
def test_a_text_that_many_cells_share_counts_for_each(
    cells: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": cells}), path)
    assert len(read_table(path)) == len(cells)
    monkeypatch.setattr(reading, "LARGEST_TABLE", 1_000_000)
    with pytest.raises(FileContentError, match="unpacks to more than"):
        read_table(path)


def test_a_table_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BATCH", 2)
    frame = pd.DataFrame(
        {
            "text": ["a", None, "a"],
            "kind": pd.Categorical(["x", "y", "x"]),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "widths": [[8, 16], None, [4]],
            "names": [["a", "b"], [], None],
            "none": [None, None, None],
        },
        index=pd.Index(["i", "j", "k"], name="id"),
    )
    for written in (frame, frame.iloc[:0]):
        written.to_parquet(tmp_path / "t.parquet")
        pd.testing.assert_frame_equal(
            read_table(tmp_path / "t.parquet"), pd.read_parquet(tmp_path / "t.parquet")
        )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        ("<html>", "a web page"),
        ("<?xml version='1.0'?>", "XML"),
        ("---\na: 1", "YAML"),
        ("- a\n- b", "YAML"),
        ("path,age\na,1\n", "a CSV table"),
        (b"<!doctype html>", "a web page"),
    ],
)
def test_what_is_no_json_is_named_where_its_beginning_says_what_it_is(text: str | bytes, kind: str) -> None:
    with pytest.raises(FileContentError, match=f"it is not JSON but {kind}"):
        parse_json(text)


@pytest.mark.parametrize("text", ['{"a": 1} x', "{", "\0", "9" * 99, "Infinity", "x"])
def test_damaged_json_is_not_taken_for_another_kind(text: str) -> None:
    with pytest.raises(FileContentError, match="it is not JSON: "):
        parse_json(text)
