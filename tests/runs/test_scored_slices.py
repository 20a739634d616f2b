"""The table of scored slices, and the points that are taken from it."""

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import RequestError
from suite.networks.elastic import ElasticSpace
from suite.presets import Architecture
from suite.runs.scored_slices import ScoredSlice, read_scored, scored_front, spread, write_scored

SPACE = ElasticSpace(((4,), (4,), (8,), (8,), (100, 200, 300)), ((1,), (1,), (1,), (2,), (2,)))


def scored(val_mae: float, params: int) -> ScoredSlice:
    return ScoredSlice(
        Architecture((4, 4, 8, 8, params), (1, 1, 1, 2, 2)), val_mae, params, 2 * params, 4 * params
    )


def test_slices_come_back_from_their_table(tmp_path: Path) -> None:
    assert read_scored(tmp_path, "years", SPACE) == []
    slices = [scored(9.0, 100), scored(8.0, 300), scored(float("nan"), 200)]
    write_scored(tmp_path, slices, "years")
    read = read_scored(tmp_path, "years", SPACE)
    assert read[:2] == slices[:2]
    assert read[2].params == 200
    assert read[2].val_mae != read[2].val_mae


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *(("params", value) for value in (math.inf, 0.0, -1.0, 1.5, None, 1e300)),
        *(("val_mae_years", value) for value in (-1.0, "low")),
        *(("widths", value) for value in ([4, 4, 8, 8], [4, 4, 8, 8, 10**9], "44881", [4.5] * 5, [[4]] * 5)),
        ("depths", [1, 1, 1, 2, -2]),
    ],
)
def test_a_cell_that_no_slice_of_the_search_has_is_refused(tmp_path: Path, column: str, cell: object) -> None:
    write_scored(tmp_path, [scored(9.0, 100)], "years")
    path = tmp_path / "scored.parquet"
    pd.read_parquet(path).assign(**{column: pd.Series([cell], dtype=None)}).to_parquet(path)
    with pytest.raises(RequestError, match="delete it, and the slices are scored again"):
        read_scored(tmp_path, "years", SPACE)


@pytest.mark.parametrize("damage", ["cut", "column", "unit", "text"])
def test_a_damaged_table_is_refused_with_the_remedy(tmp_path: Path, damage: str) -> None:
    write_scored(tmp_path, [scored(9.0, 100)], "years")
    path = tmp_path / "scored.parquet"
    frame = pd.read_parquet(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "column":
        frame.drop(columns="widths").to_parquet(path)
    elif damage == "text":
        frame.assign(params="many").to_parquet(path)
    with pytest.raises(RequestError, match="delete it, and the slices are scored again"):
        read_scored(tmp_path, "points" if damage == "unit" else "years", SPACE)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("widths", [4, 4, 8], "3 widths and 5 depths, not 5 of each"),
        ("widths", [4, 4, 8, 8, -1], "'widths' holds"),
        ("depths", [1, 1, 1, 1, 10**9], "'depths' holds"),
        ("val_mae_years", -1.0, "'val_mae_years' holds"),
        ("val_mae_years", "<b>", "'val_mae_years' holds"),
        ("params", 2.5, "'params' holds"),
        ("macs", 0, "'macs' holds"),
        ("bytes", None, "'bytes' has an empty cell"),
    ],
)
def test_what_no_slice_can_have_is_one_sentence(tmp_path: Path, column: str, cell: object, said: str) -> None:
    write_scored(tmp_path, [scored(9.0, 100)], "years")
    path = tmp_path / "scored.parquet"
    pd.read_parquet(path).assign(**{column: pd.Series([cell])}).to_parquet(path)
    with pytest.raises(RequestError, match=said) as refused:
        read_scored(tmp_path, "years", SPACE)
    assert len(str(refused.value)) < 500 + len(str(tmp_path))


def test_more_slices_than_a_search_scores_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.runs.scored_slices.MOST_SLICES", 1)
    write_scored(tmp_path, [scored(9.0, 100), scored(8.0, 200)], "years")
    with pytest.raises(RequestError, match="2 rows, over the limit of 1"):
        read_scored(tmp_path, "years", SPACE)


def test_an_error_that_is_empty_in_every_row_is_unknown(tmp_path: Path) -> None:
    write_scored(tmp_path, [scored(9.0, 100)], "years")
    path = tmp_path / "scored.parquet"
    pd.read_parquet(path).assign(val_mae_years=None).to_parquet(path)
    (read,) = read_scored(tmp_path, "years", SPACE)
    assert math.isnan(read.val_mae)


def test_the_front_is_what_no_other_slice_beats() -> None:
    slices = [scored(9.0, 100), scored(9.5, 200), scored(8.0, 300), scored(8.0, 400)]
    assert [one.params for one in scored_front(slices, ["val_mae", "params"])] == [100, 300]
    assert scored_front([], ["val_mae"]) == []


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=40, unique=True), st.integers(0, 50))
def test_a_spread_takes_different_members_with_the_ends(sizes: list[int], count: int) -> None:
    front = [scored(1.0, size) for size in sorted(sizes)]
    chosen = [one.params for one in spread(front, count)]
    assert len(chosen) == len(set(chosen)) == min(count, len(front))
    assert chosen == sorted(chosen)
    if count >= 2 and len(front) >= 2:
        assert (chosen[0], chosen[-1]) == (min(sizes), max(sizes))
