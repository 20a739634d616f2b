"""Decisions by an estimated age, and the intervals of their rates."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from suite.statistics.age_threshold import (
    EVERYBODY,
    AgeThreshold,
    accepted,
    clopper_pearson,
    decisions_by_group,
    heads,
    rate,
)

RULE = AgeThreshold(18, 25)


def alone(images: int) -> np.ndarray:
    return np.array([f"p{image}" for image in range(images)])


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_interval_is_that_of_clopper_and_pearson_where_everybody_is_pictured_once(
    data: st.DataObject,
) -> None:
    trials = data.draw(st.integers(1, 300))
    successes = data.draw(st.integers(0, trials))
    outcomes = np.repeat([1.0, 0.0], [successes, trials - successes])
    expected = binomtest(successes, trials).proportion_ci(0.95, method="exact")
    found = rate(outcomes, alone(trials))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.low <= found.share <= found.high


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(1, 5))
def test_more_images_of_the_same_people_say_no_more_about_other_people(
    outcomes: list[bool], times: int
) -> None:
    once = rate(np.array(outcomes, dtype=float), alone(len(outcomes)))
    often = rate(np.repeat(np.array(outcomes, dtype=float), times), np.repeat(alone(len(outcomes)), times))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert (often.images, often.people) == (len(outcomes) * times, len(outcomes))


def test_boundaries_belong_to_the_upper_side() -> None:
    """Who is 18 is not under 18, and an estimate of 25 is accepted; one that is not a number is not."""
    estimates = np.array([25.0, 24.99, 25.0, math.nan, 30.0, 24.0])
    ages = np.array([17.99, 17.0, 18.0, 24.0, 25.0, 40.0])
    found = decisions_by_group(accepted(estimates, RULE), ages, alone(6), {}, RULE)
    (everybody,) = found[EVERYBODY]
    assert (everybody.accepted_below.share, everybody.accepted_below.people) == (0.5, 2)
    assert (everybody.asked_above.share, everybody.asked_above.people) == (0.5, 4)
    assert (everybody.asked_above_challenge.share, everybody.asked_above_challenge.people) == (0.5, 2)


def test_decisions_are_by_group_and_say_where_there_is_nobody() -> None:
    ages = np.array([10.0, 12.0, 30.0, 40.0])
    gender = np.array(["female", "female", "male", ""])
    found = decisions_by_group(np.array([1.0, 0.0, 1.0, 0.0]), ages, alone(4), {"gender": gender}, RULE)
    female, male = found["gender"]
    assert female.cells[:3] == ("female", "2", "50.0 % (1.3 to 98.7)")
    assert female.cells[3:5] == ("0", "nobody")
    assert male.cells[1:3] == ("0", "nobody")
    assert len(heads("gender", RULE)) == len(male.cells)


def test_the_interval_holds_the_true_rate_where_people_recur() -> None:
    """Simulated: 40 people with 1 to 6 images, whose outcomes are equal or only alike; at least 95 % hold the truth."""
    rng = np.random.default_rng(0)
    for alike in (0.5, 1.0):
        held = 0
        for _ in range(400):
            counts = rng.integers(1, 7, 40)
            people = np.repeat(alone(40), counts)
            own = np.repeat((rng.random(40) < 0.1).astype(float), counts)
            other = (rng.random(len(people)) < 0.1).astype(float)
            found = rate(np.where(rng.random(len(people)) < alike, own, other), people)
            held += found.low <= 0.1 <= found.high
        assert held / 400 >= 0.94


def test_a_certain_outcome_has_an_interval_with_one_end() -> None:
    assert clopper_pearson(0, 10) == (0.0, pytest.approx(1 - 0.025 ** (1 / 10)))
    assert clopper_pearson(10, 10) == (pytest.approx(0.025 ** (1 / 10)), 1.0)
