"""Mean absolute errors with intervals over people."""

import math

import numpy as np
import pytest

from suite.statistics.clustered import error_of_group, errors_by_band, errors_by_name, people_of


def people(count: int) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Four images of each person."""
    return np.array([f"p{image // 4}" for image in range(count)])


def test_groups_are_bands_of_the_label() -> None:
    labels = (np.arange(60) % 30).astype(np.float64)
    found = errors_by_band(np.ones(60), people(60), labels, 10)
    assert [(row.group, row.images) for row in found] == [("0 to 10", 20), ("10 to 20", 20), ("20 to 30", 20)]


def test_groups_are_those_that_the_set_names_and_an_image_may_be_in_none() -> None:
    names = np.array(["male", "female", ""] * 20)
    errors = np.where(names == "male", 2.0, 1.0)
    found = errors_by_name(errors, people(60), names)
    assert [(row.group, row.images, row.mae) for row in found] == [("female", 20, 1.0), ("male", 20, 2.0)]


def test_the_interval_over_people_is_wider_than_over_images_where_a_persons_errors_are_alike() -> None:
    errors = np.repeat(np.random.default_rng(0).exponential(5, 50), 4)
    by_person = error_of_group("all", errors, people(200))
    by_image = error_of_group("all", errors, np.arange(200).astype(str))
    assert (by_person.people, by_image.people) == (50, 200)
    assert by_person.mae == by_image.mae == pytest.approx(errors.mean())
    assert by_person.high - by_person.low > 1.5 * (by_image.high - by_image.low)
    # The interval of a mean of independent people, by its standard error.
    error = errors.std() / np.sqrt(50)
    assert by_person.high - by_person.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_people_with_as_many_images_each_have_the_interval_of_their_means() -> None:
    """Student's t of 2 degrees of freedom, by hand: the means are 1, 2 and 6, their standard deviation sqrt(7)."""
    errors = np.array([0.5, 1.5, 2.0, 2.0, 5.0, 7.0])
    found = error_of_group("all", errors, np.array(["a", "a", "b", "b", "c", "c"]))
    assert found.mae == 3.0
    assert found.high - found.mae == pytest.approx(4.302653 * math.sqrt(7 / 3))
    assert found.low == 0.0  # no error is below it


def test_one_person_shows_no_spread() -> None:
    found = error_of_group("all", np.array([1.0, 2.0]), np.array(["a", "a"]))
    assert (found.mae, found.people) == (1.5, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_an_image_without_a_name_is_of_a_person_of_its_own() -> None:
    assert len(set(people_of(np.array(["a", "", "a", ""])))) == 3
