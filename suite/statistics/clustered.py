"""Mean absolute errors with intervals, over all images of a split and by group."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.trial import Attribute

#: Labels are grouped in bands of so many units.
BAND: Mapping[Attribute, float] = {"age": 10, "attractiveness": 1}
#: Columns of a store's labels that name no group; nor do an attribute and its deviation.
NO_GROUPS = ("split", "subject", "source")
RESAMPLES = 2000


@dataclass(frozen=True)
class GroupError:
    """The error over the images of a group."""

    group: str
    images: int
    mae: float  # label units
    low: float  # of the 95 % interval
    high: float


def mean_with_interval(group: str, errors: npt.NDArray[np.float64], people: npt.ArrayLike) -> GroupError:
    """Mean of absolute errors, with a bootstrap interval that draws people, not images.

    Images of one person err together, so that an interval over images would be too narrow (Efron 1979;
    percentile interval of ``RESAMPLES`` draws, always the same ones).

    Args:
        group: its name.
        errors: float (n,), absolute errors, n from 1 up.
        people: (n,), who is pictured; all different where that is not known.
    """
    _, person = np.unique(np.asarray(people), return_inverse=True)
    sums, counts = np.bincount(person, errors), np.bincount(person)
    chosen = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[chosen].sum(1) / counts[chosen].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return GroupError(group, len(errors), float(errors.mean()), float(low), float(high))


def errors_by_group(
    errors: npt.NDArray[np.float64], labels: pd.DataFrame, attribute: Attribute
) -> dict[str, list[GroupError]]:
    """Errors by band of the label, and by every group that the set names (gender, race, ...).

    Args:
        errors: float (n,), absolute errors.
        labels: the rows of a store's table that belong to them, in their order.
        attribute: what is estimated.

    Returns:
        By what the images are grouped, and then a row a group, in order.
    """
    band = BAND[attribute]
    bands = np.floor(labels[attribute].to_numpy(np.float64) / band) * band
    found: dict[str, list[GroupError]] = {}
    found[attribute] = _rows(errors, labels, pd.Series(bands), lambda low: f"{low:g} to {low + band:g}")
    for column in labels.columns:
        stem = str(column).removesuffix("_std")
        if column in NO_GROUPS or stem == attribute or stem in BAND:
            continue
        named = labels[column].reset_index(drop=True)
        found[str(column)] = _rows(errors, labels, named[named.notna() & (named != "")], str)
    return {by: rows for by, rows in found.items() if rows}


def people_of(labels: pd.DataFrame) -> pd.Series:
    """Who is pictured in each image; an image without a name is of a person of its own."""
    subject = labels["subject"].reset_index(drop=True).fillna("").astype(str)
    alone = pd.Series([f"image {place}" for place in range(len(labels))])
    return subject.where(subject != "", alone)


def _rows(
    errors: npt.NDArray[np.float64], labels: pd.DataFrame, groups: pd.Series, name: Callable[[Any], str]
) -> list[GroupError]:
    people = people_of(labels).to_numpy()
    rows = []
    for group, members in groups.groupby(groups):
        places = members.index.to_numpy()
        rows.append(mean_with_interval(name(group), errors[places], people[places]))
    return rows
