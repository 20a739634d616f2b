"""Predictions of single images, and errors and coverage by band of the label and by group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.runs.info import RunInfo
from suite.runs.tables import read_predictions as read_table_of
from suite.statistics.age_threshold import USUAL, GroupDecisions, accepted, decisions_by_group
from suite.statistics.clustered import BAND, GroupError, error_of_group, errors_by_band, errors_by_name
from suite.statistics.coverage import GroupCoverage, coverage_by_band, coverage_by_name, is_inside

#: Columns of a file of predictions of the suite's own; further ones name groups.
OWN = ("split", "image", "label", "estimate", "deviation", "interval_low", "interval_high", "person")
#: A column with more different words than this names single images, not groups.
MOST_GROUPS = 24
#: At most this many images are drawn, evenly spread over the split; errors are over all of them.
DRAWN = 300


@dataclass(frozen=True)
class Coverage:
    """The calibrated 80 % intervals of one network on one split: what they hold, and how wide they are.

    Of several trainings of one network the shares are means over them, image by image.

    Attributes:
        share: The share of the labels that they hold, from 0 to 1.
        width: Their median width, label units.
        groups: The share by band of the label and by group, in the order of the errors.
    """

    share: float
    width: float
    groups: Mapping[str, tuple[GroupCoverage, ...]]


@dataclass(frozen=True)
class Predictions:
    """Labels and estimates of one network on one split, and its errors by group.

    Of several trainings of one network, errors are means over these with intervals over trainings and people, and
    estimates are the first one's.
    """

    split: str
    trainings: tuple[str, ...]
    images: int
    overall: GroupError
    drawn: tuple[tuple[float, float], ...]  # label, estimate
    groups: tuple[tuple[str, tuple[GroupError, ...]], ...]
    coverage: Coverage | None = None  # None where the run keeps no intervals
    decisions: Mapping[str, Sequence[GroupDecisions]] | None = None  # None where no ages are estimated


def read_predictions(folder: Path, trainings: Sequence[str], info: RunInfo) -> Predictions | None:
    """Read the predictions of one network's trainings; None if the run keeps none.

    They are of the test split if it was read, else of validation. Runs of earlier versions keep no predictions.
    """
    kept = {name: read_table_of(folder, name) for name in trainings}
    tables = {name: table for name, table in kept.items() if table is not None}
    if not tables:
        return None
    split = "test" if all((table["split"] == "test").any() for table in tables.values()) else "val"
    parts = [table[table["split"] == split].sort_values("image") for table in tables.values()]
    parts = [part for part in parts if len(part) == len(parts[0])]
    first = parts[0].reset_index(drop=True)
    if not len(first):
        return None
    off = [np.abs(part["estimate"].to_numpy(float) - part["label"].to_numpy(float)) for part in parts]
    errors = np.stack(off)
    positions = np.unique(np.linspace(0, len(first) - 1, min(DRAWN, len(first))).round().astype(int))
    pairs = first.iloc[positions]
    return Predictions(
        split=split,
        trainings=tuple(tables),
        images=len(first),
        overall=error_of_group("all", errors, first["person"].astype(str).to_numpy(dtype=str)),
        drawn=tuple(
            (round(float(label), 2), round(float(estimate), 2))
            for label, estimate in zip(pairs["label"], pairs["estimate"], strict=True)
        ),
        groups=tuple(_groups(first, errors, info)),
        coverage=_coverage(parts, info),
        decisions=_decisions(parts, info),
    )


def _decisions(parts: Sequence[pd.DataFrame], info: RunInfo) -> Mapping[str, Sequence[GroupDecisions]] | None:
    if info.attribute != "age":
        return None
    first = parts[0].reset_index(drop=True)
    share = np.mean([accepted(part["estimate"].to_numpy(float), USUAL) for part in parts], axis=0)
    people = first["person"].astype(str).to_numpy(dtype=str)
    return decisions_by_group(
        share, first["label"].to_numpy(float), people, dict(_named_groups(first)), USUAL
    )


def _coverage(parts: Sequence[pd.DataFrame], info: RunInfo) -> Coverage | None:
    """Return the coverage of the intervals; None where a training has none, as in runs of earlier versions."""
    if any("interval_low" not in part or "interval_high" not in part for part in parts):
        return None
    inside, widths = [], []
    for part in parts:
        label, low, high = (part[name].to_numpy(float) for name in ("label", "interval_low", "interval_high"))
        inside.append(is_inside(label, low, high))
        widths.append(high - low)
    if np.isnan(widths).any():
        return None
    first, share = parts[0], np.mean(inside, axis=0)
    people = first["person"].astype(str).to_numpy(dtype=str)
    bands = coverage_by_band(share, people, first["label"].to_numpy(float), BAND[info.attribute])
    groups: dict[str, tuple[GroupCoverage, ...]] = {info.attribute: tuple(bands)}
    for column, names in _named_groups(first):
        groups[column] = tuple(coverage_by_name(share, people, names))
    return Coverage(float(share.mean()), float(np.median(widths)), groups)


def _groups(
    table: pd.DataFrame, errors: npt.NDArray[np.float64], info: RunInfo
) -> Iterable[tuple[str, tuple[GroupError, ...]]]:
    people = table["person"].astype(str).to_numpy(dtype=str)
    labels = table["label"].to_numpy(float)
    yield info.attribute, tuple(errors_by_band(errors, people, labels, BAND[info.attribute]))
    for column, names in _named_groups(table):
        yield column, tuple(errors_by_name(errors, people, names))


def _named_groups(table: pd.DataFrame) -> Iterable[tuple[str, npt.NDArray[np.str_]]]:
    """Yield each column that names groups, and the group of each image."""
    for column in table.columns:
        if column not in OWN:
            names = table[column].fillna("").astype(str).to_numpy(dtype=str)
            if 1 < len(set(names) - {""}) <= MOST_GROUPS:
                yield str(column), names
