"""Means over trainings and people: coverage by simulation, known cases, and what too few people say."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.statistics.crossed import FEWEST_PEOPLE, CrossedMean, mean_difference, mean_error
from suite.statistics.paired import mean_interval

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

#: Mean of the absolute value of a standard normal variable.
FOLDED = math.sqrt(2 / math.pi)
#: Deviation of the same, relative to its mean: what one image adds.
SPREAD = 0.76
#: Trainings of one network differ by no more than this deviation, relative to their mean.
MOST_OF_A_SEED = 0.2


def persons(rng: np.random.Generator, people: int, images: int | None) -> npt.NDArray[np.intp]:
    """The person of each image: so many images each, or from one to five."""
    counts = np.full(people, images) if images else rng.integers(1, 6, people)
    return np.repeat(np.arange(people), counts)


def effects(rng: np.random.Generator, person: npt.NDArray[np.intp], trainings: int, shared: float) -> Floats:
    """Normal values of variance 1 by training and image; a share is common to all trainings, a part to a person."""
    people, images = int(person.max()) + 1, len(person)
    common = math.sqrt(0.4) * rng.normal(size=people)[person] + math.sqrt(0.6) * rng.normal(size=images)
    own = math.sqrt(0.2) * rng.normal(size=(trainings, people))[:, person]
    own += math.sqrt(0.8) * rng.normal(size=(trainings, images))
    values: Floats = math.sqrt(shared) * common + math.sqrt(1 - shared) * own
    return values


def errors(
    rng: np.random.Generator, person: npt.NDArray[np.intp], trainings: int, seed: float, scale: float
) -> Floats:
    """Absolute errors of mean ``FOLDED``: trainings differ by a factor, and people by another (lognormal) one."""
    people = int(person.max()) + 1
    harder = np.exp(scale * rng.normal(size=people) - scale**2 / 2)[person]
    return (
        np.abs(effects(rng, person, trainings, 0.7)) * harder * (1 + seed * rng.normal(size=(trainings, 1)))
    )


def coverage_of_errors(
    trainings: int, people: int, images: int | None, seed: float, scale: float, repeats: int
) -> float:
    """The share of intervals that hold the true mean; trainings differ by ``seed`` standard errors over people."""
    rng, hits = np.random.default_rng(people + 10 * trainings), 0
    for _ in range(repeats):
        person = persons(rng, people, images)
        values = errors(rng, person, trainings, min(seed * SPREAD / math.sqrt(people), MOST_OF_A_SEED), scale)
        hits += holds(mean_error(values, person.astype(str)), FOLDED)
    return hits / repeats


def coverage_of_differences(
    trainings: int, people: int, images: int | None, seed: float, shared: float, repeats: int
) -> float:
    rng, hits = np.random.default_rng(people + 10 * trainings), 0
    for _ in range(repeats):
        person = persons(rng, people, images)
        offsets = seed * SPREAD / math.sqrt(people) * rng.normal(size=(trainings, 1))
        values = effects(rng, person, trainings, shared) + offsets
        hits += holds(mean_difference(values, person.astype(str)), 0.0)
    return hits / repeats


def holds(found: CrossedMean, true: float) -> bool:
    return found.low <= true <= found.high


@pytest.mark.parametrize(
    ("trainings", "people", "images"), [(1, 15, None), (3, 15, 1), (3, 15, None), (5, 100, 1)]
)
def test_intervals_of_errors_hold_the_true_mean(trainings: int, people: int, images: int | None) -> None:
    """The small form of the slow tests below; of one training, of this one alone."""
    found = coverage_of_errors(trainings, people, images, float(trainings > 1), 0.3, 300)
    assert 0.91 <= found <= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("people", [15, 100, 500])
@pytest.mark.parametrize("trainings", [3, 5])
def test_over_trainings_and_people_the_intervals_hold_as_often_as_they_say(
    trainings: int, people: int, seed: float
) -> None:
    """Trainings that differ not at all, as much as the people let them, or three times as much."""
    found = {
        (images, scale): coverage_of_errors(trainings, people, images, seed, scale, 500)
        for images, scale in itertools.product((1, 3, 5, None), (0.0, 0.5))
    }
    print(trainings, people, seed, found)
    assert min(found.values()) >= 0.91  # of 500 repeats, three standard errors below 94 %
    assert 0.935 <= sum(found.values()) / len(found) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("people", [15, 100, 500])
@pytest.mark.parametrize("trainings", [3, 5])
def test_intervals_of_differences_hold_as_often_as_they_say(trainings: int, people: int, seed: float) -> None:
    found = {
        (images, shared): coverage_of_differences(trainings, people, images, seed, shared, 500)
        for images, shared in itertools.product((1, 3, 5, None), (0.0, 0.3))
    }
    print(trainings, people, seed, found)
    assert min(found.values()) >= 0.9
    assert 0.93 <= sum(found.values()) / len(found) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("people", [3, 5, 7, 15, 50])
def test_groups_of_few_people_have_an_interval_that_holds_or_none(people: int) -> None:
    """One training: images of one person are one to five, or as many for all, and some people are far harder."""
    found = {}
    for images, scale in itertools.product((1, 3, 5, None), (0.0, 0.5)):
        found[images, scale] = coverage_of_errors(1, people, images, 0.0, scale, 1500)
    print(people, found)
    if people < FEWEST_PEOPLE:
        assert set(found.values()) == {0.0}
    else:
        assert min(found.values()) >= 0.915
        assert max(found.values()) <= 0.985


@pytest.mark.slow
@pytest.mark.parametrize("images", [1, 5, None])
def test_very_heavy_tails_cost_little_of_the_coverage(images: int | None) -> None:
    """Student's t with four degrees of freedom, whose absolute value has the mean 1, and 15 people."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(2000):
        person = persons(rng, 15, images)
        harder = 1 / np.sqrt(rng.chisquare(4, size=15) / 4)[person]
        hits += holds(mean_error(np.abs(effects(rng, person, 1, 1.0)) * harder, person.astype(str)), 1.0)
    print(images, hits / 2000)
    assert hits / 2000 >= 0.91


def test_students_t_over_seeds_alone_says_nothing_of_other_people() -> None:
    rng, hits = np.random.default_rng(5), 0
    for _ in range(200):
        values = errors(rng, persons(rng, 100, 1), 3, 0.5 * SPREAD / 10, 0.5)
        found = mean_interval(list(map(float, values.mean(axis=1))))
        hits += found.low <= FOLDED <= found.high
    assert hits / 200 < 0.85


def test_two_trainings_say_less_than_three() -> None:
    """Their variance has one degree of freedom, so that nothing is subtracted from it."""
    rng = np.random.default_rng(3)
    person = persons(rng, 50, 2)
    values = effects(rng, person, 3, 0.3) + np.array([[0.5], [-0.5], [0.0]])
    two, three = (mean_difference(values[:n], person.astype(str)) for n in (2, 3))
    assert two.high - two.low > 3 * (three.high - three.low)
    assert coverage_of_differences(2, 15, 1, 3.0, 0.0, 200) > 0.93


def test_people_with_one_image_each_have_students_interval() -> None:
    """By hand: ten values of one training, deviation and quantile of 9 degrees from a table."""
    values = np.arange(10.0)
    found = mean_difference(values, np.arange(10).astype(str))
    reach = 2.262157 * math.sqrt(values.var(ddof=1) / 10)
    assert (found.mean, found.people, found.images, found.trainings) == (4.5, 10, 10, 1)
    assert found.high - found.mean == pytest.approx(reach)
    assert found.mean - found.low == pytest.approx(reach)


def test_an_interval_of_errors_spans_those_of_the_mean_and_of_its_logarithm() -> None:
    values = np.arange(10.0)
    found = mean_error(values, np.arange(10).astype(str))
    reach = 2.262157 * math.sqrt(values.var(ddof=1) / 10)
    assert found.low == pytest.approx(4.5 - reach)
    assert found.high == pytest.approx(4.5 * math.exp(reach / 4.5))


def test_images_of_people_who_err_alike_count_once() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.exponential(5, 50), 4)
    person = np.repeat(np.arange(50), 4).astype(str)
    by_person, by_image = mean_error(values, person), mean_error(values, np.arange(200).astype(str))
    assert by_person.high - by_person.low > 1.8 * (by_image.high - by_image.low)


def test_a_person_with_most_of_the_images_leaves_few_degrees_of_freedom() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=60)
    even = mean_difference(values, (np.arange(60) % 10).astype(str))
    uneven = mean_difference(values, np.where(np.arange(60) < 51, 0, np.arange(60)).astype(str))
    assert uneven.high - uneven.low > even.high - even.low


def test_trainings_that_differ_widen_the_interval_and_equal_ones_do_not() -> None:
    rng = np.random.default_rng(2)
    person = persons(rng, 100, 2).astype(str)
    one = np.abs(rng.normal(size=200))
    alike, apart = (
        mean_error(np.stack([one] * 3), person),
        mean_error(np.stack([one, 1.2 * one, 0.8 * one]), person),
    )
    assert alike.mean == pytest.approx(apart.mean)
    alone = mean_error(one, person)
    assert (alike.low, alike.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert apart.high - apart.low > 2 * (alike.high - alike.low)


@pytest.mark.parametrize("people", [1, FEWEST_PEOPLE - 1, FEWEST_PEOPLE])
def test_of_too_few_people_there_is_a_mean_and_no_interval(people: int) -> None:
    values = np.random.default_rng(4).normal(10, 1, (3, 40))
    person = (np.arange(40) % people).astype(str)
    for found in (mean_error(values, person), mean_difference(values, person)):
        assert found.mean == pytest.approx(values.mean())
        assert found.people == people
        assert found.has_interval == (people >= FEWEST_PEOPLE)
        assert math.isnan(found.low) == math.isnan(found.high) == (people < FEWEST_PEOPLE)


def test_trainings_that_contradict_each_other_have_a_wide_but_finite_interval() -> None:
    values = np.stack([np.full(40, 0.01), np.full(40, 10.0)]) * (1 + 0.01 * np.arange(40))
    found = mean_error(values, np.arange(40).astype(str))
    assert found.low == 0
    assert 10 * found.mean < found.high < 200 * found.mean


def test_no_errors_at_all_have_an_interval_without_width() -> None:
    found = mean_error(np.zeros(20), np.arange(20).astype(str))
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_confidence_is_a_share() -> None:
    with pytest.raises(ValueError, match="confidence"):
        mean_error(np.ones(9), np.arange(9).astype(str), confidence=1.0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(0, 50), min_size=12, max_size=12), min_size=1, max_size=4),
    st.floats(0.5, 20),
    st.lists(st.integers(0, 6), min_size=12, max_size=12),
)
def test_a_factor_of_all_errors_is_one_of_the_ends_and_more_confidence_is_wider(
    rows: list[list[float]], factor: float, person: list[int]
) -> None:
    values, names = np.array(rows), np.array(person).astype(str)
    found, scaled = mean_error(values, names), mean_error(factor * values, names)
    assert scaled.mean == pytest.approx(factor * found.mean)
    if found.has_interval and scaled.has_interval and found.mean > 1e-3:
        assert scaled.high == pytest.approx(factor * found.high, rel=1e-6)
        assert found.low <= found.mean <= found.high
        wider = mean_difference(values, names, confidence=0.99)
        narrow = mean_difference(values, names)
        assert wider.high >= narrow.high - 1e-9
