"""The error of the worst group."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.statistics.clustered import errors_by_name
from suite.statistics.worst_group import FEWEST_OF_A_GROUP, LONGEST_NAME, groups_that_count, worst_group

Names = npt.NDArray[np.str_]


def names(*counts: tuple[str, int]) -> Names:
    return np.array([name for name, count in counts for _ in range(count)])


def alone(images: int) -> Names:
    """Every image is of another person."""
    return np.array([f"p{image}" for image in range(images)])


def test_a_group_counts_by_its_people_and_not_by_its_images() -> None:
    gender = names(("female", 60), ("male", 60))
    people = np.array([f"p{image}" for image in range(60)] + [f"q{image % 19}" for image in range(60)])
    (group,) = groups_that_count({"gender": gender}, people)
    assert (group.name, group.people, group.images.tolist()) == ("gender female", 60, list(range(60)))


def test_the_worst_is_the_largest_mean_of_all_columns() -> None:
    gender = names(("female", 40), ("male", 40))
    race = np.tile(names(("a", 20), ("b", 20)), 2)
    groups = groups_that_count({"gender": gender, "race": race}, alone(80))
    errors = np.where(race == "b", 3.0, np.where(gender == "male", 2.0, 1.0))
    found = worst_group(errors, groups)
    assert found is not None
    assert (found.name, found.mae, found.people) == ("race b", 3.0, 40)


def test_a_column_of_one_name_and_images_without_a_name_are_no_groups() -> None:
    found = groups_that_count(
        {"camera": names(("x", 50)), "gender": names(("", 25), ("male", 25))}, alone(50)
    )
    assert found == ()
    assert worst_group(np.ones(50), found) is None


def test_a_network_that_fails_on_one_image_is_not_the_better_for_it() -> None:
    groups = groups_that_count({"gender": names(("female", 30), ("male", 30))}, alone(60))
    errors = np.ones(60)
    errors[-1] = math.nan
    found = worst_group(errors, groups)
    assert found is not None
    assert found.name == "gender male"
    assert math.isnan(found.mae)


def test_a_long_name_is_cut() -> None:
    groups = groups_that_count({"gender": names(("f" * 500, 30), ("male", 30))}, alone(60))
    assert max(len(group.name) for group in groups) == LONGEST_NAME


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.floats(0, 50)), min_size=1))
def test_it_is_the_largest_of_the_errors_that_a_card_shows(images: list[tuple[str, int, float]]) -> None:
    """Of the groups of one column with enough people, whatever the order of the images."""
    group, person, errors = (np.array(column) for column in zip(*images, strict=True))
    people = person.astype(str)
    shown = [each for each in errors_by_name(errors, people, group) if each.people >= 3]
    found = worst_group(errors, groups_that_count({"of": group}, people, fewest=3))
    if len(set(group)) < 2 or not shown:
        assert found is None
        return
    assert found is not None
    worst = next(each for each in shown if f"of {each.group}" == found.name)
    assert found.mae == pytest.approx(max(each.mae for each in shown))
    assert (found.mae, found.people) == (pytest.approx(worst.mae), worst.people)
    order = np.random.default_rng(0).permutation(len(errors))
    again = worst_group(errors[order], groups_that_count({"of": group[order]}, people[order], fewest=3))
    assert again is not None
    assert again.mae == pytest.approx(found.mae)


def test_the_largest_of_noisy_means_is_too_large_the_more_so_the_fewer_people_there_are() -> None:
    """The figures of the module: eight groups for which a network errs equally, with normal errors."""
    rng = np.random.default_rng(0)
    truth = math.sqrt(2 / math.pi)
    for people, excess in ((5, 0.51), (FEWEST_OF_A_GROUP, 0.25), (100, 0.11)):
        largest = np.abs(rng.normal(size=(2000, 8, people))).mean(axis=2).max(axis=1)
        assert largest.mean() / truth - 1 == pytest.approx(excess, abs=0.02)
