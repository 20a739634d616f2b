"""The time that the confirmation of a front takes."""

import pytest

from suite.runs.front import confirmation_seconds


@pytest.mark.parametrize(
    ("front", "seeds", "at_once", "seconds"),
    [
        ([10.0, 30.0], 3, 2, 60.0),
        ([10.0, 30.0], 1, 8, 30.0),  # no faster than the longest training
        ([], 3, 2, 0.0),
        ([1.0] * 1000, 10**12, 1, 1e15),  # nothing is made for each training
    ],
)
def test_the_trainings_of_a_front_are_spread_over_those_at_once(
    front: list[float], seeds: int, at_once: int, seconds: float
) -> None:
    assert confirmation_seconds([{"seconds": each} for each in front], seeds, at_once) == seconds
