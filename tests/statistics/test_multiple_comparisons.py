"""Comparisons with the best: known critical values, coverage and power by simulation, gaps and unequal variances."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.statistics.multiple_comparisons import Values, compare_with_best, critical_value

# Dunnett (1955), table 1a: one-sided, joint confidence 95 %.
DUNNETT = [
    (1, 5, 2.02),
    (2, 5, 2.44),
    (4, 5, 2.85),
    (1, 10, 1.81),
    (3, 10, 2.34),
    (4, 10, 2.47),
    (2, 20, 2.03),
]
#: A front of five members whose ends are 0.8 years apart.
FRONT = (6.2, 6.4, 6.6, 6.8, 7.0)


def drawn(rng: np.random.Generator, means: tuple[float, ...], seeds: int, deviation: float) -> Values:
    """Values with effects of the seeds that are as large as the front."""
    values = (
        rng.normal(0, deviation, (len(means), seeds)) + np.array(means)[:, None] + rng.normal(0, 0.8, seeds)
    )
    return {f"n{row}": dict(enumerate(map(float, one))) for row, one in enumerate(values)}


@pytest.mark.parametrize(("others", "degrees", "value"), DUNNETT)
def test_critical_values_are_dunnetts(others: int, degrees: int, value: float) -> None:
    assert critical_value(others, degrees, 0.95) == pytest.approx(value, abs=0.0051)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("means", "least", "most"), [((6.0, 9.0, 9.1, 9.2, 9.3), 0.94, 0.96), (FRONT, 0.95, 1.0)]
)
def test_all_intervals_together_hold_the_true_differences_as_often_as_they_say(
    means: tuple[float, ...], least: float, most: float
) -> None:
    """Where one network is far ahead, the joint confidence is used up; else the intervals hold more often."""
    rng = np.random.default_rng(0)
    true = {f"n{row}": mean - min(means[:row] + means[row + 1 :]) for row, mean in enumerate(means)}
    hits = 0
    for _ in range(2000):
        found = compare_with_best(drawn(rng, means, 3, 0.25))
        assert found is not None
        hits += all(one.low <= true[one.name] <= one.high for one in found.networks)
    assert least <= hits / 2000 <= most


def test_the_ends_of_a_front_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    apart = 0
    for _ in range(300):
        found = compare_with_best(drawn(rng, FRONT, 3, 0.25))
        assert found is not None
        apart += next(one.is_beaten for one in found.networks if one.name == "n4")
    assert apart / 300 >= 0.7


def test_equal_variances_are_seldom_taken_for_different_and_plain_differences_are_seen() -> None:
    rng = np.random.default_rng(2)
    pooled = [compare_with_best(drawn(rng, FRONT, 3, 0.25)) for _ in range(300)]
    assert sum(not one.is_pooled for one in pooled if one) <= 25  # 5 % of 300, and chance
    unequal = drawn(rng, FRONT, 8, 0.02)
    noisy = {seed: value + 3.0 * (-1) ** seed for seed, value in unequal["n4"].items()}
    found = compare_with_best({**unequal, "n4": noisy})
    assert found is not None
    assert not found.is_pooled
    assert next(one.high for one in found.networks if one.name == "n4") > 1


@pytest.mark.slow
def test_a_network_that_errs_more_from_seed_to_seed_is_noticed_and_the_intervals_hold() -> None:
    """Three seeds, and ten times the deviation of the others."""
    rng = np.random.default_rng(4)
    true = {f"n{row}": mean - min(FRONT[:row] + FRONT[row + 1 :]) for row, mean in enumerate(FRONT)}
    noticed = hits = 0
    for _ in range(500):
        values = dict(drawn(rng, FRONT, 3, 0.1))
        values["n4"] = {s: value + float(rng.normal(0, 1)) for s, value in values["n4"].items()}
        found = compare_with_best(values)
        assert found is not None
        noticed += not found.is_pooled
        hits += all(one.low <= true[one.name] <= one.high for one in found.networks)
    assert noticed / 500 >= 0.8
    assert hits / 500 >= 0.94


def test_what_a_seed_does_to_all_networks_falls_out() -> None:
    offsets = {0: 5.0, 1: 7.0, 2: 11.0}
    small = {0: 0.01, 1: -0.01, 2: 0.0}
    values = {
        "a": {seed: offset + small[seed] for seed, offset in offsets.items()},
        "b": {seed: offset + 0.5 - small[seed] for seed, offset in offsets.items()},
    }
    found = compare_with_best(values)
    assert found is not None
    assert [one.name for one in found.networks] == ["a", "b"]
    assert found.networks[1].behind == pytest.approx(0.5)
    assert found.networks[1].is_beaten
    assert found.detectable < 0.1
    assert [one.name for one in found.within(0.3)] == ["a"]


def test_a_missing_training_is_made_up_for_by_the_effects_of_the_seeds() -> None:
    """Seed 2 errs a year more; the network that lacks it must not look a third of a year better."""
    rng = np.random.default_rng(3)
    means, effects = (6.0, 6.5, 7.0), (0.0, 0.0, 1.0)
    values = {
        f"n{row}": {seed: mean + effect + float(rng.normal(0, 0.01)) for seed, effect in enumerate(effects)}
        for row, mean in enumerate(means)
    }
    del values["n1"][2]
    found = compare_with_best(values)
    assert found is not None
    assert found.networks[1].behind == pytest.approx(0.5, abs=0.05)
    assert found.degrees == 8 - 5


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": {0: 1.0, 1: 2.0}},
        {"a": {0: 1.0}, "b": {0: 2.0}},
        {"a": {0: 1.0, 1: 1.1}, "b": {2: 2.0, 3: 2.1}},
        {"a": {0: 1.0, 1: 1.1}, "b": {}},
    ],
)
def test_too_little_to_compare_says_nothing(values: Values) -> None:
    assert compare_with_best(values) is None


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        compare_with_best({"a": {0: 1.0, 1: math.nan}, "b": {0: 1.0, 1: 2.0}})
    with pytest.raises(ValueError, match="confidence"):
        compare_with_best({"a": {0: 1.0, 1: 1.0}, "b": {0: 1.0, 1: 2.0}}, confidence=1.0)
    with pytest.raises(ValueError, match="degrees"):
        critical_value(1, 0, 0.95)


@given(
    st.lists(st.lists(st.floats(1, 20), min_size=3, max_size=3), min_size=2, max_size=6),
    st.floats(-5, 5),
    st.floats(0.1, 10),
)
def test_shift_and_scale_of_all_values_shift_and_scale_the_intervals(
    rows: list[list[float]], shift: float, scale: float
) -> None:
    values = {f"n{number}": dict(enumerate(row)) for number, row in enumerate(rows)}
    moved = {
        name: {seed: scale * value + shift for seed, value in one.items()} for name, one in values.items()
    }
    first, second = compare_with_best(values), compare_with_best(moved)
    assert first is not None
    assert second is not None
    if first.is_pooled == second.is_pooled:
        highs = {one.name: one.high for one in second.networks}
        for one in first.networks:
            assert highs[one.name] == pytest.approx(scale * one.high, rel=1e-5, abs=1e-5)
            assert one.low <= min(0.0, one.behind) <= max(0.0, one.behind) <= one.high + 1e-9
