"""The front of a run's finished trials, what is confirmed of it and beside it, and how long that takes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from suite.presets import PRESETS
from suite.runs.info import RunInfo, objective_column
from suite.statistics.pareto import non_dominated

#: The paper's networks, which are confirmed wherever a search trained them: what it finds is compared with these.
PUBLISHED = tuple(PRESETS[name] for name in ("thin", "tiny"))
#: Relative standard deviation of a validation error between the seeds of a training, from so many epochs on: measured
#: on ``faces`` with the networks of the search ``tiny`` (docs/search.md).
SEED_NOISE: tuple[tuple[int, float], ...] = ((9, 0.043), (6, 0.048), (0, 0.074))


def front_rows(
    rows: Sequence[Mapping[str, Any]],
    objectives: Iterable[str],
    error_column: str,
    most: Mapping[str, float] | None = None,
) -> list[Mapping[str, Any]]:
    """Return the non-dominated rows of the search's finished trials, by ascending error.

    Args:
        rows: Rows of ``trials.parquet``.
        objectives: The names of the objectives, all minimised: those of errors, and columns of the rows.
        error_column: The column of the objective "val_mae".
        most: The most that a member may have in some columns (``RunInfo.most``); a row without the number is no
            member. None: no bounds.
    """
    columns = [objective_column(name, error_column.removeprefix("val_mae_")) for name in objectives]
    finished = _finished(rows, most)
    if not finished:
        return []
    losses = np.array([[_number(row[column]) for column in columns] for row in finished])
    members = [row for row, is_member in zip(finished, non_dominated(losses), strict=True) if is_member]
    return sorted(members, key=lambda row: _number(row[error_column]))


def rows_to_confirm(rows: Sequence[Mapping[str, Any]], info: RunInfo) -> list[Mapping[str, Any]]:
    """Return the trials that a run trains again to confirm them: the front by ascending error, then others.

    The others are the paper's networks, and then the neighbours of the front, the nearest first; together at most
    ``info.confirmed_neighbours``. This is the one place that selects them: for the search, the time left and the
    report alike.

    Args:
        rows: Rows of ``trials.parquet``, the confirming trainings among them or not.
        info: Of the run.
    """
    front = front_rows(rows, info.objectives, info.error_column, info.most)
    chosen = {row["id"]: row for row in front}
    for row in (*_published(rows, info), *_neighbours(rows, front, info)):
        if len(chosen) >= len(front) + info.confirmed_neighbours:
            break
        chosen.setdefault(row["id"], row)
    return list(chosen.values())


def seed_noise(epochs: int) -> float:
    """Return the relative standard deviation of a validation error between seeds, after so many epochs."""
    return next(noise for fewest, noise in SEED_NOISE if epochs >= fewest)


def confirming_epochs(member: Mapping[str, Any], info: RunInfo, *, alone: bool) -> int:
    """Return the epochs of a training that confirms a member of the front.

    Args:
        member: Its row.
        info: Of the run.
        alone: It starts from random weights where the search shares weights, so that it makes up for the epochs of
            the elastic training.
    """
    epochs = info.confirming_epochs(int(member["epochs"]))
    return epochs + info.sharing.epochs if alone and info.sharing is not None else epochs


def confirming_rows(rows: Sequence[Mapping[str, Any]], info: RunInfo) -> list[Mapping[str, Any]]:
    """Return the rows of the trainings that confirm, of the length that the run asks for.

    A run that was confirmed at one length and then resumed with another has rows of both; only the latter count.
    """
    members = {row["id"]: row for row in rows if row["stage"] == "search"}
    return [
        row
        for row in rows
        if row["stage"] == "confirm"
        and (member := members.get(row["parent"])) is not None
        and int(row["epochs"])
        == confirming_epochs(member, info, alone=not isinstance(row.get("slice_of"), str))
    ]


def is_of_the_procedure(row: Mapping[str, Any], info: RunInfo) -> bool:
    """Whether a confirming training is of the kind that counts where weights are shared: from a slice, or alone."""
    is_slice = isinstance(row.get("slice_of"), str)
    return info.sharing is None or is_slice == (info.sharing.counted == "procedure")


def best_error(rows: Sequence[Mapping[str, Any]], error_column: str) -> float:
    """Return the smallest validation error of a finished trial; NaN if there is none."""
    errors = [_number(row[error_column]) for row in rows if row["status"] == "finished"]
    return min((error for error in errors if not math.isnan(error)), default=math.nan)


def confirmation_seconds(members: Sequence[Mapping[str, Any]], info: RunInfo) -> float:
    """Estimate the seconds that it takes to confirm members of a front, from their times in the search.

    A longer training takes longer by as much as it has more epochs.
    """
    times, at_once = info.confirmations_of_a_member, max(1, info.max_concurrent)
    if not times:
        return 0.0
    trainings = [
        float(member["seconds"]) * info.confirming_epochs(epochs) / epochs
        for member in members
        for epochs in (max(1, int(member["epochs"])),)
    ]
    return max(sum(trainings) * times / at_once, max(trainings, default=0.0))


def _published(rows: Sequence[Mapping[str, Any]], info: RunInfo) -> list[Mapping[str, Any]]:
    """Return the trial with the smallest error of each of the paper's networks, the smaller network first."""
    found: dict[int, Mapping[str, Any]] = {}
    for row in sorted(_with_errors(rows, info), key=lambda row: _number(row[info.error_column])):
        for number, network in enumerate(PUBLISHED):
            if _is_network(row, network.widths, network.depths):
                found.setdefault(number, row)
    return sorted(found.values(), key=lambda row: _number(row["params"]))


def _is_network(row: Mapping[str, Any], widths: tuple[int, ...], depths: tuple[int, ...]) -> bool:
    as_published = row["network"] == "compact" and row.get("pooling", "hybrid") == "hybrid"
    trained = not isinstance(row.get("pruned_from"), str)
    return as_published and trained and tuple(row["widths"]) == widths and tuple(row["depths"]) == depths


def _neighbours(
    rows: Sequence[Mapping[str, Any]], front: Sequence[Mapping[str, Any]], info: RunInfo
) -> list[Mapping[str, Any]]:
    """Return the trials off the front that the noise of single trainings cannot exclude from it, the nearest first.

    A trial is one where its error, lowered by a standard deviation of the difference of two trainings, would not be
    dominated any more. How near it is, is the share by which its error would have to be lower.
    """
    if "val_mae" not in info.objectives or not front:
        return []
    unit = info.error_column.removeprefix("val_mae_")
    costs = [objective_column(name, unit) for name in info.objectives if name != "val_mae"]
    members = {row["id"] for row in front}
    others = [row for row in _with_errors(rows, info) if row["id"] not in members]
    errors = np.array([_number(row[info.error_column]) for row in front])
    of_front = _costs(front, costs)
    found: list[tuple[float, str, Mapping[str, Any]]] = []
    for row, own in zip(others, _costs(others, costs), strict=True):
        no_dearer = (of_front <= own).all(axis=1)
        error = _number(row[info.error_column])
        gap = 1 - float(errors[no_dearer].min()) / error if no_dearer.any() and error > 0 else math.inf
        if gap <= math.sqrt(2) * seed_noise(int(row["epochs"])):
            found.append((gap, str(row["id"]), row))
    return [row for _, _, row in sorted(found, key=lambda one: one[:2])]


def _costs(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> "np.ndarray[Any, Any]":
    """Return the costs, a row for each of the rows; (rows, costs)."""
    costs = [[_number(row[name]) for name in names] for row in rows]
    return np.array(costs, dtype=float).reshape(len(rows), len(names))


def _finished(rows: Sequence[Mapping[str, Any]], most: Mapping[str, float] | None) -> list[Mapping[str, Any]]:
    """Return the search's finished trials that keep the bounds of ``front_rows``."""
    return [
        row
        for row in rows
        if row["status"] == "finished"
        and row["stage"] == "search"
        and all(_number(row.get(column)) <= bound for column, bound in (most or {}).items())
    ]


def _with_errors(rows: Sequence[Mapping[str, Any]], info: RunInfo) -> list[Mapping[str, Any]]:
    return [row for row in _finished(rows, info.most) if math.isfinite(_number(row[info.error_column]))]


def _number(cell: Any) -> float:
    """Return a cell as float, NaN where it is empty: None in a row of the ledger, NA in a row of pandas."""
    try:
        return float(cell)
    except TypeError:
        return math.nan
