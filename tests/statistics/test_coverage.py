"""The share of labels in their intervals, by group."""

import math

import numpy as np
import pytest

from suite.statistics.coverage import coverage_by_band, coverage_by_name, is_inside


def test_the_ends_of_an_interval_are_inside() -> None:
    low, high = np.array([1.0, 1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0, 2.0])
    assert is_inside(np.array([1.0, 2.0, 0.9, 2.1]), low, high).tolist() == [1, 1, 0, 0]


def test_coverage_is_by_band_and_by_name_with_its_counts() -> None:
    inside, labels = np.array([1.0, 0.0] * 20), np.repeat([5.0, 15.0], 20)
    people = np.array([f"p{place}" for place in range(40)])
    low, high = coverage_by_band(inside, people, labels, 10)
    assert (low.group, low.images, low.people, low.share) == ("0 to 10", 20, 20, 0.5)
    assert high.group == "10 to 20"
    (odd,) = coverage_by_name(inside, people, np.array(["", "odd"] * 20))
    assert (odd.group, odd.images, odd.share) == ("odd", 20, 0)


@pytest.mark.parametrize("people", [14, 15])
def test_of_fewer_than_fifteen_people_nothing_is_said(people: int) -> None:
    names = np.array([f"p{place % people}" for place in range(60)])
    (group,) = coverage_by_band(np.ones(60), names, np.zeros(60), 10)
    assert math.isnan(group.share) == (people < 15)
