"""The error of the worst group: the largest mean absolute error of a group of people.

The groups are those of every column of the data that names groups (gender, race), each column by itself; a group
within a group, such as women of one race, is none. The error of a group is the mean over its images, as on a card.

The largest of several means is larger than the largest of what they estimate, the more so the fewer people each is of:
of a network that errs equally for all, the largest of eight means of 5 people lies 51 % above the truth on average, of
20 people 25 %, of 100 people 11 % (simulated with normal errors; the test has the simulation). So groups of fewer than
``FEWEST_OF_A_GROUP`` people do not count: their maximum would punish chance. With more people it still is somewhat too
large, for all networks of a search alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.trial import WorstGroup

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

#: A group with fewer people on the split does not count.
FEWEST_OF_A_GROUP = 20
#: Names of groups come from the data, and are cut to so many characters.
LONGEST_NAME = 80


@dataclass(frozen=True)
class Group:
    """A group of the people of a split.

    Attributes:
        name: The column of the data and the group, such as "gender female".
        images: The positions of its images among those of the split, int64 (n,).
        people: Number of people in them.
    """

    name: str
    images: npt.NDArray[np.int64]
    people: int


def groups_that_count(
    columns: Mapping[str, Names], people: Names, fewest: int = FEWEST_OF_A_GROUP
) -> tuple[Group, ...]:
    """Return the groups with enough people, by column and name.

    Args:
        columns: The group of each image of a split, str (n,), by the name of the column; an image with an empty name is
            in no group. A column that gives all images one name tells no people apart, and is passed over.
        people: Who is pictured, str (n,).
        fewest: People of a group that counts.
    """
    _, person = np.unique(people, return_inverse=True)
    found = []
    for column, names in columns.items():
        distinct, group = np.unique(names, return_inverse=True)
        if np.count_nonzero(distinct != "") < 2:
            continue
        members = np.unique(np.column_stack([group, person]), axis=0)
        counts = np.bincount(members[:, 0], minlength=len(distinct))
        found += [
            Group(f"{column} {name}"[:LONGEST_NAME], np.flatnonzero(group == number), int(counts[number]))
            for number, name in enumerate(distinct)
            if name and counts[number] >= fewest
        ]
    return tuple(found)


def worst_group(errors: Floats, groups: Sequence[Group]) -> WorstGroup | None:
    """Return the group with the largest mean absolute error, the first of equals; None without a group.

    Args:
        errors: Absolute errors of the images of a split, float (n,), label units.
        groups: Those of the split that count.

    Returns:
        The group. Its error is NaN where one of the errors is, because a network that fails on a group is not
        better than it.
    """
    if not groups:
        return None
    means = np.array([errors[group.images].mean() for group in groups])
    worst = int(np.argmax(means))  # the first NaN, where there is one
    return WorstGroup(groups[worst].name, float(means[worst]), groups[worst].people)
