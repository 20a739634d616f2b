"""The share of labels that intervals hold, over all images and by group."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.statistics.clustered import GroupError, errors_by_band, errors_by_name
from suite.statistics.conformal import FEWEST_PEOPLE

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class GroupCoverage:
    """The share of a group's labels that lie in their intervals.

    Attributes:
        group: Name of the group.
        images: Number of images.
        people: Number of people in them.
        share: From 0 to 1; NaN where fewer than ``FEWEST_PEOPLE`` people are too few to say.
    """

    group: str
    images: int
    people: int
    share: float


def is_inside(labels: Floats, low: Floats, high: Floats) -> Floats:
    """Return 1 where a label lies in its interval, ends included, else 0; float64 (n,)."""
    return ((labels >= low) & (labels <= high)).astype(np.float64)


def coverage_by_band(inside: Floats, people: Names, labels: Floats, width: float) -> list[GroupCoverage]:
    """Return the coverage of each band of labels that has images, as ``errors_by_band`` returns their errors.

    Args:
        inside: Whether the label is in its interval, float (n,) from 0 to 1.
        people: Who is pictured, str (n,).
        labels: Labels, float (n,), label units.
        width: Width of a band, label units.
    """
    return [_coverage(mean) for mean in errors_by_band(inside, people, labels, width)]


def coverage_by_name(inside: Floats, people: Names, names: Names) -> list[GroupCoverage]:
    """Return the coverage of each named group, as ``errors_by_name`` returns their errors.

    Args:
        inside: Whether the label is in its interval, float (n,) from 0 to 1.
        people: Who is pictured, str (n,).
        names: The group of each image, str (n,); an image with an empty name is in no group.
    """
    return [_coverage(mean) for mean in errors_by_name(inside, people, names)]


def _coverage(mean: GroupError) -> GroupCoverage:
    """Return a group's mean of zeros and ones, which is what ``errors_by_band`` made, as a share."""
    share = mean.mae if mean.people >= FEWEST_PEOPLE else math.nan
    return GroupCoverage(mean.group, mean.images, mean.people, share)
