"""Conformal intervals hold the share of labels that they state, in all and in each band, and no more than needed."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from suite.statistics.conformal import (
    FEWEST_IN_BAND,
    Calibration,
    LabelBands,
    deviations_of,
    fit,
    intervals,
    unlike,
)

AGES = LabelBands(0, 100, 1, 10)
CALIBRATION = Calibration(
    share=0.8,
    scale="deviation",
    floor=1.0,
    edges=(0.0, 50.0, 100.0),
    reaches=(0.25, 0.5),
    label_edges=(0.0, 20.0, 70.0, 100.0),
    label_reaches=(1.0, 0.0, 2.0),
    images=400,
    people=100,
    estimate_low=5.0,
    estimate_high=95.0,
    deviation_high=30.0,
)


@dataclasses.dataclass(frozen=True)
class Sample:
    labels: np.ndarray
    estimates: np.ndarray
    deviations: np.ndarray
    people: np.ndarray


def sample(random: np.random.Generator, people: int, images: int = 4) -> Sample:
    """A network that estimates towards the middle, worse for the old, with distributions three times too wide.

    The images of one person err together.
    """
    labels = random.uniform(0, 100, people * images)
    own = np.repeat(random.normal(0, 1, people), images)
    noise = (0.7 * own + 0.7 * random.normal(size=len(labels))) * (4 + labels / 15)
    estimates = np.clip(50 + 0.85 * (labels - 50) + noise, 0, 100)
    deviations = 3 * (4 + labels / 15) * random.uniform(0.7, 1.4, len(labels))
    return Sample(labels, estimates, deviations, np.repeat(np.arange(people).astype(str), images))


def is_held(calibration: Calibration, new: Sample) -> np.ndarray:
    low, high = intervals(calibration, new.estimates, new.deviations).T
    return (new.labels >= low) & (new.labels <= high)


def fitted(part: Sample) -> Calibration:
    found = fit(part.labels, part.estimates, part.deviations, part.people, AGES)
    assert found is not None
    return found


def test_intervals_hold_four_fifths_of_the_labels_and_enough_of_each_band() -> None:
    """Simulated: 100 fits on 200 people with four images each, each tried on 1,000 new people."""
    random, held, labels = np.random.default_rng(0), [], []
    for _ in range(100):
        new = sample(random, 1000, images=1)
        held.append(is_held(fitted(sample(random, 200)), new))
        labels.append(new.labels)
    inside, band = np.concatenate(held), np.concatenate(labels) // 10
    assert inside.mean() == pytest.approx(0.82, abs=0.01)
    shares = [inside[band == place].mean() for place in range(10)]
    assert min(shares) > 0.74
    assert max(shares) < 0.9


def test_a_person_with_many_images_counts_once() -> None:
    people = sample(np.random.default_rng(1), 80, images=1)
    often = dataclasses.replace(
        people,
        labels=np.append(people.labels, np.full(900, 50.0)),
        estimates=np.append(people.estimates, np.full(900, 99.0)),
        deviations=np.append(people.deviations, np.full(900, 5.0)),
        people=np.append(people.people, np.full(900, "often")),
    )
    before, after = fitted(people), fitted(often)
    assert (before.images, before.people) == (80, 80)
    assert (after.images, after.people) == (980, 81)
    assert after.edges == before.edges == (0, 100)
    assert after.reaches[0] < 1.2 * before.reaches[0]


def test_the_reach_is_the_quantile_with_the_correction_for_few_people() -> None:
    labels, estimates = np.arange(15.0), np.zeros(15)
    found = fit(labels, estimates, None, np.arange(15).astype(str), AGES)
    assert found is not None
    assert found.edges == found.label_edges == (0, 100)
    assert found.reaches == (12.0,)  # of 15 scores the 13th, ceil(0.8 * 16)
    assert found.label_reaches == (0.0,), "more than 70 % are held anyway"


def test_too_few_people_are_not_calibrated_on() -> None:
    images = np.zeros(100)
    assert fit(images, images, None, np.arange(100).astype(str), AGES) is not None
    assert fit(images, images, None, (np.arange(100) % 14).astype(str), AGES) is None
    assert fit(images, images + np.nan, None, np.arange(100).astype(str), AGES) is None


@pytest.mark.parametrize(
    ("bands", "edges"),
    [
        (LabelBands(0, 30, 1, 10), [0, 10, 20, 30]),
        (LabelBands(1, 5, 0.1, 1), [1, 2, 3, 4, 5]),
        (LabelBands(15, 38, 1, 10), [15, 20, 30, 38]),
        (LabelBands(0, 1e12, 1e9, 10), [0, 1e12]),
    ],
)
def test_bands_start_at_multiples_of_their_width(bands: LabelBands, edges: list[float]) -> None:
    assert bands.edges == edges


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(0, 100), min_size=15, max_size=400), st.integers(1, 5))
def test_a_band_of_its_own_has_people_enough(labels: list[float], images: int) -> None:
    people = (np.arange(len(labels)) // images).astype(str)
    found = fit(np.array(labels), np.full(len(labels), 50.0), None, people, AGES)
    if found is None:
        return
    assert found.edges == (0, 100), "all estimates are equal"
    edges = found.label_edges
    assert (edges[0], edges[-1], len(edges)) == (0, 100, len(found.label_reaches) + 1)
    if len(edges) > 2:
        places = np.searchsorted(np.array(edges[1:-1]), labels, side="right")
        assert all(len(set(people[places == place])) >= FEWEST_IN_BAND for place in range(len(edges) - 1))


@settings(deadline=None, max_examples=30)
@given(
    arrays.arrays(np.float64, 5, elements=st.floats(0, 100)),
    arrays.arrays(np.float64, 5, elements=st.floats(0, 60)),
    st.tuples(*[st.floats(0, 50)] * 3),
)
def test_an_interval_is_the_range_of_the_labels_within_the_reach_of_their_bands(
    estimates: np.ndarray, deviations: np.ndarray, reaches: tuple[float, float, float]
) -> None:
    calibration = dataclasses.replace(CALIBRATION, label_reaches=reaches)
    ends = intervals(calibration, estimates, deviations)
    labels = np.linspace(0, 100, 401)
    own = np.array(reaches)[np.searchsorted([20, 70], labels, side="right")]
    for estimate, deviation, (low, high) in zip(estimates, deviations, ends, strict=True):
        reach = np.maximum(own, 0.25 if estimate < 50 else 0.5) * max(deviation, 1.0)
        held = np.append(labels[np.abs(labels - estimate) < reach - 1e-9], estimate)
        assert 0 <= low <= held.min() <= held.max() <= high <= 100
        assert low > held.min() - 0.25 - 1e-6, "no wider than needed, up to the distance of two labels here"
        assert high < held.max() + 0.25 + 1e-6


def test_a_method_without_a_distribution_has_intervals_in_label_units() -> None:
    part = sample(np.random.default_rng(3), 200)
    found = fit(part.labels, part.estimates, None, part.people, AGES)
    assert found is not None
    assert (found.scale, found.deviation_high) == ("unit", None)
    assert (is_held(found, part).mean()) == pytest.approx(0.8, abs=0.03)


def test_a_scale_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="it gives none"):
        intervals(CALIBRATION, np.zeros(2), None)


def test_an_input_unlike_validation_is_told_and_one_like_it_seldom() -> None:
    estimates, deviations = np.array([50.0, 2.0, 50.0, 97.0]), np.array([10.0, 10.0, 31.0, 31.0])
    assert unlike(CALIBRATION, estimates, deviations) == [
        None,
        "end of range",
        "flat distribution",
        "flat distribution",
    ]
    random = np.random.default_rng(4)
    found, new = fitted(sample(random, 1000)), sample(random, 5000)
    reasons = unlike(found, new.estimates, new.deviations)
    for reason in ("end of range", "flat distribution"):
        assert reasons.count(reason) / len(reasons) < 0.02


def test_the_deviation_of_a_distribution_is_that_of_its_labels() -> None:
    labels = np.arange(101.0)
    gaussian = np.exp(-((labels - 50) ** 2) / (2 * 8.0**2))
    certain = (labels == 3).astype(float)
    assert deviations_of(np.stack([gaussian, certain]), 0, 100) == pytest.approx([8, 0], abs=1e-3)
