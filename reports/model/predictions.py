"""What judged trainings said of single images, and their errors by band of the label and by group."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.runs.info import RunInfo
from suite.runs.layout import PREDICTIONS
from suite.statistics.student_t import student_t_quantile

#: Columns that every file of predictions has; all further ones name groups.
OWN = ("split", "image", "label", "estimate", "person")
#: Labels are taken together in bands of so many units.
BAND = {"years": 10.0, "points": 1.0}
#: So many images are drawn, evenly spread over the split; errors are over all of them.
DRAWN = 300


@dataclass(frozen=True)
class GroupError:
    """Mean absolute error over the images of a group, in the run's unit, with its 95 % interval.

    The interval is NaN where the group has one person.
    """

    group: str
    images: int
    people: int
    mae: float
    low: float
    high: float


@dataclass(frozen=True)
class Predictions:
    """Of one network on one split: labels beside estimates, and errors by what the images are grouped by.

    Errors of several trainings of one network are averaged image by image; estimates are the first one's.
    """

    split: str
    trainings: tuple[str, ...]
    images: int
    drawn: tuple[tuple[float, float], ...]  # label, estimate
    groups: tuple[tuple[str, tuple[GroupError, ...]], ...]


def read_predictions(folder: Path, trainings: Sequence[str], info: RunInfo) -> Predictions | None:
    """What the run keeps of these trainings of one network; None where it keeps nothing of any of them.

    The test split where it was read, else validation. A run of an earlier version keeps no predictions.
    """
    kept = {name: folder / PREDICTIONS / f"{name}.parquet" for name in trainings if _is_plain(name)}
    tables = {name: pd.read_parquet(path) for name, path in kept.items() if path.exists()}
    if not tables:
        return None
    split = "test" if all((table["split"] == "test").any() for table in tables.values()) else "val"
    parts = [table[table["split"] == split].sort_values("image") for table in tables.values()]
    parts = [part for part in parts if len(part) == len(parts[0])]
    first = parts[0].reset_index(drop=True)
    if not len(first):
        return None
    off = [np.abs(part["estimate"].to_numpy(float) - part["label"].to_numpy(float)) for part in parts]
    errors = np.mean(off, axis=0)
    places = np.unique(np.linspace(0, len(first) - 1, min(DRAWN, len(first))).round().astype(int))
    pairs = first.iloc[places]
    return Predictions(
        split=split,
        trainings=tuple(tables),
        images=len(first),
        drawn=tuple(
            (round(float(label), 2), round(float(estimate), 2))
            for label, estimate in zip(pairs["label"], pairs["estimate"], strict=True)
        ),
        groups=tuple(_groups(first, errors, info)),
    )


def error_of_group(name: str, errors: npt.NDArray[np.float64], people: npt.NDArray[np.str_]) -> GroupError:
    """The mean of absolute errors with an interval over people, not images.

    Images of one person err together. The variance is that of a mean over clusters (Cochran 1977, section
    9.5: the ratio estimator); the interval is Student's t with one degree of freedom less than people.

    Args:
        name: of the group.
        errors: float (n,), n from 1 up.
        people: (n,), who is pictured.
    """
    _, person = np.unique(people, return_inverse=True)
    sums, counts = np.bincount(person, errors), np.bincount(person)
    mean, many = float(errors.mean()), len(sums)
    if many == 1:
        return GroupError(name, len(errors), 1, mean, math.nan, math.nan)
    spread = float(((sums - mean * counts) ** 2).sum()) * many / (many - 1)
    reach = _quantile(min(many - 1, 1000)) * math.sqrt(spread) / len(errors)
    return GroupError(name, len(errors), many, mean, max(mean - reach, 0.0), mean + reach)


@cache
def _quantile(degrees: int) -> float:
    """Beyond a thousand degrees of freedom it changes by less than a thousandth."""
    return student_t_quantile(0.975, degrees)


def _groups(
    table: pd.DataFrame, errors: npt.NDArray[np.float64], info: RunInfo
) -> Iterable[tuple[str, tuple[GroupError, ...]]]:
    people = table["person"].astype(str).to_numpy(dtype=str)
    width = BAND[info.unit]
    bands = (np.floor(table["label"].to_numpy(float) / width) * width).tolist()
    named = {low: f"{low:g} to {low + width:g}" for low in sorted(set(bands))}
    yield (
        info.attribute,
        _rows(pd.Series([named[low] for low in bands]), list(named.values()), errors, people),
    )
    for column in table.columns:
        if column not in OWN:
            groups = table[column].fillna("").astype(str)
            names = sorted(set(groups) - {""})
            if 1 < len(names) <= MOST_GROUPS:
                yield str(column), _rows(groups, names, errors, people)


#: A column with more different words than this names no groups, but single images.
MOST_GROUPS = 24


def _rows(
    groups: "pd.Series[str]",
    names: Iterable[str],
    errors: npt.NDArray[np.float64],
    people: npt.NDArray[np.str_],
) -> tuple[GroupError, ...]:
    found = []
    for name in names:
        members = (groups == name).to_numpy()
        found.append(error_of_group(name, errors[members], people[members]))
    return tuple(found)


def _is_plain(name: str) -> bool:
    """Whether an id is a file's name and no path out of the folder."""
    return bool(name) and Path(name).name == name
