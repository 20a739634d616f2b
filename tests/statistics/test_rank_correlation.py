"""Kendall's tau-b against its definition, and its interval."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.statistics import rank_correlation as module
from suite.statistics.rank_correlation import FEWEST_PAIRS, kendall_tau, rank_correlation

values = st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False))
rows = st.lists(st.tuples(values, values), min_size=2, max_size=25)


def by_definition(x: list[float], y: list[float]) -> float:
    """Pair by pair, as Kendall (1945) counts them."""
    agreeing = opposite = tied_x = tied_y = 0
    pairs = list(combinations(range(len(x)), 2))
    for i, j in pairs:
        tied_x += x[i] == x[j]
        tied_y += y[i] == y[j]
        if x[i] != x[j] and y[i] != y[j]:
            same = (x[i] < x[j]) == (y[i] < y[j])
            agreeing, opposite = agreeing + same, opposite + (not same)
    scale = math.sqrt((len(pairs) - tied_x) * (len(pairs) - tied_y))
    return (agreeing - opposite) / scale if scale else math.nan


@given(rows)
def test_it_is_what_its_definition_says(found: list[tuple[float, float]]) -> None:
    x, y = [a for a, _ in found], [b for _, b in found]
    assert kendall_tau(x, y) == pytest.approx(by_definition(x, y), nan_ok=True)


@pytest.mark.slow  # for the time that scipy takes to import
def test_it_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for size in (5, 30, 200):
        x = rng.integers(0, 20, size).astype(float)
        y = x + rng.normal(0, 5, size)
        assert kendall_tau(x, y) == pytest.approx(stats.kendalltau(x, y).statistic)


@given(rows)
def test_it_is_symmetric_and_turns_with_the_order_of_one_side(found: list[tuple[float, float]]) -> None:
    x, y = np.array([a for a, _ in found]), np.array([b for _, b in found])
    tau = kendall_tau(x, y)
    assert kendall_tau(y, x) == pytest.approx(tau, nan_ok=True)
    assert kendall_tau(-x, y) == pytest.approx(-tau, nan_ok=True)
    assert math.isnan(tau) or -1 - 1e-12 <= tau <= 1 + 1e-12


@given(rows)
def test_it_depends_on_the_order_alone(found: list[tuple[float, float]]) -> None:
    x, y = [a for a, _ in found], [b for _, b in found]
    ranks = {value: rank for rank, value in enumerate(sorted(set(x)))}
    assert kendall_tau([ranks[a] for a in x], y) == pytest.approx(kendall_tau(x, y), nan_ok=True)


@given(st.lists(st.tuples(values, values), min_size=FEWEST_PAIRS, max_size=12), st.integers(0, 9))
def test_an_interval_lies_within_the_range_and_is_the_same_again(
    found: list[tuple[float, float]], seed: int
) -> None:
    x, y = [a for a, _ in found], [b for _, b in found]
    first, again = (rank_correlation(x, y, seed=seed) for _ in range(2))
    assert repr(first) == repr(again)
    assert first is not None
    if math.isfinite(first.low):
        assert -1 - 1e-12 <= first.low <= first.high <= 1 + 1e-12
        assert abs(first.tau) < 1


def coverage(rows: int, correlation: float, samples: int) -> float:
    """The share of intervals that hold the true tau of normal values; samples without an interval do not count."""
    rng, hits, known = np.random.default_rng(rows), 0, 0
    true = 2 / math.pi * math.asin(correlation)
    for _ in range(samples):
        x, rest = rng.normal(size=(2, rows))
        found = rank_correlation(x, correlation * x + math.sqrt(1 - correlation**2) * rest)
        assert found is not None
        if math.isfinite(found.low):
            known += 1
            hits += found.low <= true <= found.high
    return hits / known


def test_intervals_hold_the_true_tau() -> None:
    assert coverage(10, 0.8, 150) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("rows", [5, 8, 10, 20, 40])
def test_intervals_hold_the_true_tau_as_often_as_the_documentation_says(
    rows: int, correlation: float
) -> None:
    assert 0.93 <= coverage(rows, correlation, 400) <= 1.0


def test_more_rows_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for size in (10, 40, 160):
        x = rng.normal(size=size)
        found = rank_correlation(x, x + rng.normal(size=size))
        assert found is not None
        assert found.low < found.tau < found.high
        widths.append(found.high - found.low)
    assert widths == sorted(widths, reverse=True)


def test_five_rows_are_the_fewest() -> None:
    assert rank_correlation([1, 2, 3, 4], [1, 2, 4, 3]) is None
    assert rank_correlation([1, 2, 3, 4, 5], [1, 2, 4, 3, 5]) is not None


def test_rows_that_all_agree_have_no_interval_and_equal_values_no_tau() -> None:
    alike = rank_correlation(range(6), range(6))
    assert alike is not None
    assert alike.tau == 1
    assert math.isnan(alike.low)
    equal = rank_correlation([1.0] * 6, range(6))
    assert equal is not None
    assert math.isnan(equal.tau)
    assert math.isnan(equal.low)


def test_of_very_many_rows_some_are_taken_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAIRS", 7)
    found = rank_correlation(range(1000), [-n for n in range(1000)])
    assert found is not None
    assert (found.tau, found.pairs) == (-1, 7)


@pytest.mark.parametrize(("x", "y"), [([1, 2], [1]), ([[1], [2]], [[1], [2]]), ([1, math.nan], [1, 2])])
def test_what_has_no_ranks_is_refused(x: object, y: object) -> None:
    with pytest.raises(ValueError, match=r"values cannot be compared|no rank"):
        kendall_tau(x, y)  # type: ignore[arg-type]
