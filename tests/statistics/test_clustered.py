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
    """Student's t of 4 degrees of freedom, by hand: the means are 1, 2, 6, 4 and 7, their variance 6.5."""
    errors = np.array([0.5, 1.5, 2.0, 2.0, 5.0, 7.0, 3.0, 5.0, 7.0, 7.0])
    found = error_of_group("all", errors, np.array(list("aabbccddee")))
    reach = 2.776445 * math.sqrt(6.5 / 5)
    assert found.mae == 4.0
    assert found.low == pytest.approx(4.0 - reach)
    assert found.high == pytest.approx(4.0 * math.exp(reach / 4.0))


@pytest.mark.parametrize("number", [1, 3, 4, 5])
def test_of_fewer_than_five_people_a_group_has_an_error_and_no_interval(number: int) -> None:
    errors = np.array([1.0, 2.0] * 10)
    found = error_of_group("all", errors, np.array([f"p{image % number}" for image in range(20)]))
    assert (found.mae, found.people) == (1.5, number)
    assert math.isnan(found.low) == math.isnan(found.high) == (number < 5)


def test_trainings_that_differ_widen_the_interval_of_every_group() -> None:
    one = np.random.default_rng(1).exponential(5, 80)
    names, labels = np.array(["a", "b"] * 40), np.repeat([5.0, 15.0], 40)
    person = np.array([f"p{image % 20}" for image in range(80)])
    for groups in (
        lambda errors: errors_by_name(errors, person, names),
        lambda errors: errors_by_band(errors, person, labels, 10),
    ):
        for alone, several in zip(groups(one), groups(np.stack([one, 1.5 * one, 0.5 * one])), strict=True):
            assert several.mae == pytest.approx(alone.mae)
            assert (several.images, several.people) == (alone.images, alone.people)
            assert several.high - several.low > 1.2 * (alone.high - alone.low)


def test_an_image_without_a_name_is_of_a_person_of_its_own() -> None:
    assert len(set(people_of(np.array(["a", "", "a", ""])))) == 3
