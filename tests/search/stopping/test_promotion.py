"""Who goes on at a rung."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.search.stopping.promotion import crowding, decide

#: Few distinct values, so that equals and ties occur; all positive, as errors and costs are.
LOSS = st.integers(1, 12).map(float)


def points(objectives: int, least: int = 1, most: int = 10) -> st.SearchStrategy[list[tuple[float, ...]]]:
    return st.lists(st.tuples(*[LOSS] * objectives), min_size=least, max_size=most)


RUNGS = st.integers(1, 4).flatmap(points)
FACTORS = st.integers(2, 5)


def array(rows: list[tuple[float, ...]]) -> np.ndarray:
    return np.array(rows, dtype=float).reshape(len(rows), -1 if rows else 0)


def decision_of(rung: list[tuple[float, ...]], factor: int):  # type: ignore[no-untyped-def]
    """The last of a rung's trials is the one that reaches it now."""
    recorded = np.array(rung[:-1], dtype=float).reshape(len(rung) - 1, len(rung[-1]))
    return decide(recorded, rung[-1], factor)


def dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


def rank_by_definition(rung: list[tuple[float, ...]]) -> int:
    """Peel the fronts one by one, then count who has more room; slow and plain."""
    new, rest, ahead = rung[-1], list(rung), 0
    while True:
        front = [a for a in rest if not any(dominates(b, a) for b in rest)]
        if new in front:
            break
        ahead += len(front)
        rest = [a for a in rest if a not in front]
    if len(new) == 1:
        return ahead + 1
    distinct = sorted(set(front))
    room = dict(zip(distinct, crowding(array(distinct)), strict=True))
    return ahead + 1 + sum(room[other] > room[new] for other in front)


@given(RUNGS, FACTORS)
def test_the_rank_is_the_one_of_the_definition(rung: list[tuple[float, ...]], factor: int) -> None:
    decision = decision_of(rung, factor)
    assert (decision.rank, decision.of) == (rank_by_definition(rung), len(rung))


@given(RUNGS, FACTORS, st.randoms(use_true_random=False))
def test_the_order_of_those_before_has_no_say(rung, factor, random) -> None:  # type: ignore[no-untyped-def]
    before = rung[:-1]
    random.shuffle(before)
    assert decision_of([*before, rung[-1]], factor) == decision_of(rung, factor)


@given(RUNGS, FACTORS)
def test_too_few_results_stop_nobody(rung: list[tuple[float, ...]], factor: int) -> None:
    if len(rung) < factor:
        assert decision_of(rung, factor).goes_on
        assert decision_of(rung, factor).quota == 0


@given(RUNGS, FACTORS)
def test_the_only_one_that_nothing_dominates_goes_on(rung: list[tuple[float, ...]], factor: int) -> None:
    others, new = rung[:-1], rung[-1]
    if all(dominates(new, other) for other in others):
        assert decision_of(rung, factor).rank == 1
        assert decision_of(rung, factor).goes_on


@given(RUNGS, FACTORS)
def test_an_end_of_the_front_goes_on(rung: list[tuple[float, ...]], factor: int) -> None:
    new = rung[-1]
    best_in_one = any(
        value == min(column) for value, column in zip(new, zip(*rung, strict=True), strict=True)
    )
    if best_in_one and not any(dominates(other, new) for other in rung):
        assert decision_of(rung, factor).goes_on


@given(RUNGS, FACTORS)
def test_one_that_as_many_dominate_as_may_go_on_is_stopped(
    rung: list[tuple[float, ...]], factor: int
) -> None:
    dominators = sum(dominates(other, rung[-1]) for other in rung[:-1])
    decision = decision_of(rung, factor)
    assert decision.rank > dominators
    if decision.quota and dominators >= decision.quota:
        assert not decision.goes_on


@given(points(1), FACTORS, LOSS)
def test_by_error_alone_a_smaller_error_never_does_worse(
    rung: list[tuple[float, ...]], factor: int, less: float
) -> None:
    better = (max(rung[-1][0] - less, 0.0),)
    assert decision_of([*rung[:-1], better], factor).rank <= decision_of(rung, factor).rank


@given(RUNGS, FACTORS, st.sampled_from([float("nan"), float("inf")]))
def test_a_trial_without_a_result_is_the_last(
    rung: list[tuple[float, ...]], factor: int, missing: float
) -> None:
    lost = [*rung, (missing, *rung[-1][1:])]
    decision = decision_of(lost, factor)
    assert decision.rank == len(lost)
    assert decision.goes_on == (len(lost) < factor)


def test_small_networks_survive_where_error_alone_would_stop_them() -> None:
    """Nine sizes, each smaller one worse: all are on the front, and by error the smallest is the last."""
    sizes = [(5.0 + step, 1e6 / 2**step) for step in range(9)]
    for smallest_last in (sizes, [*sizes[:8], (20.0, 100.0)]):
        assert decision_of(smallest_last, 3).goes_on
        assert not decision_of([(error,) for error, _ in smallest_last], 3).goes_on


def test_in_the_crowd_of_a_front_the_one_with_least_room_is_stopped() -> None:
    spread = [(1.0, 16.0), (2.0, 8.0), (4.0, 4.0), (8.0, 2.0), (16.0, 1.0)]
    assert not decision_of([*spread, (4.01, 3.99)], 3).goes_on
    # Alone in a gap, on a front of as many.
    assert decision_of(
        [(1.0, 16.0), (1.1, 15.9), (1.2, 15.8), (1.3, 15.7), (16.0, 1.0), (4.0, 4.0)], 2
    ).goes_on


def test_room_is_taken_by_logarithm_so_that_halving_a_small_network_counts_as_much_as_a_large_one() -> None:
    room = crowding(np.array([[1.0, 1e7], [2.0, 1e6], [4.0, 1e5], [8.0, 1e4], [16.0, 1e3]]))
    assert np.isinf(room[[0, 4]]).all()
    assert room[1] == room[2] == room[3]


def test_of_a_random_order_about_one_in_the_factor_goes_on() -> None:
    """The first pass as nothing is there to compare with, so it is somewhat more than a third."""
    errors = np.random.default_rng(0).permutation(300).astype(float) + 1
    going_on = sum(decide(errors[:n, None], errors[n : n + 1], 3).goes_on for n in range(300))
    assert 100 <= going_on <= 130


def test_points_of_other_shapes_are_refused() -> None:
    for recorded, new in itertools.product([np.zeros((2, 3)), np.zeros(3)], [[1.0, 2.0], [[1.0]]]):
        with pytest.raises(ValueError, match="not comparable"):
            decide(recorded, new, 3)
