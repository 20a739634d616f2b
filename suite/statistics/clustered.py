"""Mean absolute errors of groups of images: by bands of the label, and by the groups that a set names.

Their intervals are those of ``suite.statistics.crossed``: over people, since images of one person err together, and
over trainings where there are several.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.statistics.crossed import mean_error
from suite.trial import Attribute

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

#: Labels are grouped in bands of this many label units.
BAND: Mapping[Attribute, float] = {"age": 10.0, "attractiveness": 1.0}


@dataclass(frozen=True)
class GroupError:
    """The mean absolute error over the images of a group, with its 95 % interval over people and trainings.

    Attributes:
        group: Name of the group.
        images: Number of images.
        people: Number of people in them.
        mae: Mean absolute error, label units.
        low: Lower end of the interval, at least 0; NaN where the group has too few people to say.
        high: Upper end of the interval; NaN likewise.
    """

    group: str
    images: int
    people: int
    mae: float
    low: float
    high: float


def error_of_group(group: str, errors: Floats, people: Names) -> GroupError:
    """Return the mean of absolute errors with its interval.

    Args:
        group: Name of the group.
        errors: Absolute errors, float (n,), or of several trainings (trainings, n), label units; n from 1 up.
        people: Who is pictured, str (n,).
    """
    found = mean_error(errors, people)
    return GroupError(group, found.images, found.people, found.mean, found.low, found.high)


def errors_by_band(errors: Floats, people: Names, labels: Floats, width: float) -> list[GroupError]:
    """Return the error of each band of labels that has images, in rising order.

    Args:
        errors: Absolute errors, float (n,), or of several trainings (trainings, n), label units.
        people: Who is pictured, str (n,).
        labels: Labels, float (n,), label units.
        width: Width of a band, label units; bands start at multiples of it (``BAND``).
    """
    starts = np.floor(labels / width) * width
    return [
        error_of_group(
            f"{start:g} to {start + width:g}", errors[..., starts == start], people[starts == start]
        )
        for start in np.unique(starts)
    ]


def errors_by_name(errors: Floats, people: Names, names: Names) -> list[GroupError]:
    """Return the error of each named group, in the order of the names.

    Args:
        errors: Absolute errors, float (n,), or of several trainings (trainings, n), label units.
        people: Who is pictured, str (n,).
        names: The group of each image, str (n,); an image with an empty name is in no group.
    """
    return [
        error_of_group(str(name), errors[..., names == name], people[names == name])
        for name in np.unique(names)
        if name
    ]


def people_of(subjects: Names) -> Names:
    """Return who is pictured in each image, str (n,); an image with an empty name is of a person of its own."""
    alone = np.array([f"image {number}" for number in range(len(subjects))])
    return np.where(subjects == "", alone, subjects)
