"""Paired differences: what the interval holds, and when a difference may be called one."""

import math

import numpy as np
import pytest

from suite.statistics.paired import (
    differences_from,
    mean_interval,
    paired_difference,
)

# Student's own example (1908): additional hours of sleep of ten patients by two drugs.
DEXTRO = dict(enumerate([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]))
LAEVO = dict(enumerate([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]))


def test_students_own_data_give_their_known_interval() -> None:
    difference = paired_difference(("dextro", DEXTRO), ("laevo", LAEVO))
    interval = difference.interval
    assert interval.mean == pytest.approx(1.58)
    assert (interval.low, interval.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert difference.seen


def test_what_a_seed_does_to_both_sides_falls_out() -> None:
    """The seeds differ by years, the methods by a tenth of one in every seed: unpaired, this would drown."""
    first = {seed: 5.0 + 3.0 * seed for seed in range(4)}
    second = {seed: value - 0.1 - 0.01 * (-1) ** seed for seed, value in first.items()}
    difference = paired_difference(("a", first), ("b", second))
    assert difference.seen
    assert difference.interval.mean == pytest.approx(-0.1)
    own = mean_interval(list(first.values()))
    assert own.high - own.low > 10


def test_intervals_hold_the_true_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.3, 2.0, (2000, 5))
    hits = [
        interval.low <= 0.3 <= interval.high for interval in (mean_interval(list(row), 0.9) for row in drawn)
    ]
    assert np.mean(hits) == pytest.approx(0.9, abs=0.02)  # three standard errors


def test_many_comparisons_widen_each_interval_so_that_chance_sees_nothing() -> None:
    rng = np.random.default_rng(1)
    families = 400
    false_alarms = 0
    for _ in range(families):
        errors = rng.normal(5.0, 0.2, (7, 5))
        values = {f"method {m}": dict(enumerate(row)) for m, row in enumerate(errors)}
        false_alarms += any(difference.seen for difference in differences_from("method 0", values))
    assert false_alarms / families < 0.08
    alone = paired_difference(("a", DEXTRO), ("b", LAEVO)).interval
    among_five = paired_difference(("a", DEXTRO), ("b", LAEVO), comparisons=5).interval
    assert among_five.confidence == pytest.approx(0.99)
    assert among_five.low < alone.low < alone.high < among_five.high


def test_a_difference_inside_of_the_noise_is_not_seen() -> None:
    first = {0: 5.10, 1: 5.30, 2: 5.20}
    second = {0: 5.15, 1: 5.20, 2: 5.28}
    assert not paired_difference(("DLDL", first), ("DLDL-v2", second)).seen


def test_seeds_that_only_one_side_has_are_left_out_and_counted() -> None:
    difference = paired_difference(("a", {0: 5.0, 1: 5.2, 2: 99.0}), ("b", {0: 5.1, 1: 5.25, 7: -99.0}))
    assert difference.interval.mean == pytest.approx(0.075)
    assert difference.unpaired == 2


def test_one_seed_can_show_no_difference() -> None:
    difference = paired_difference(("a", {3: 5.0}), ("b", {3: 1.0}))
    assert (difference.interval.low, difference.interval.high) == (-math.inf, math.inf)
    assert not difference.seen


def test_equal_values_are_not_a_difference() -> None:
    assert not paired_difference(("a", {0: 1.0, 1: 2.0}), ("b", {0: 1.0, 1: 2.0})).seen


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_a_mean_of_nothing_or_of_nan_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite values"):
        mean_interval(values)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_interval([1.0, 2.0], confidence)


def test_seeds_without_a_common_one_are_named() -> None:
    with pytest.raises(ValueError, match=r"a has seeds \[0\] and b has \[1\]"):
        paired_difference(("a", {0: 1.0}), ("b", {1: 1.0}))
