"""The front of a run's finished trials, and how long it takes to confirm it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from suite.runs.info import objective_column
from suite.statistics.pareto import non_dominated


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
    finished = [
        row
        for row in rows
        if row["status"] == "finished"
        and row["stage"] == "search"
        and all(_number(row.get(column)) <= bound for column, bound in (most or {}).items())
    ]
    if not finished:
        return []
    losses = np.array([[_number(row[column]) for column in columns] for row in finished])
    members = [row for row, is_member in zip(finished, non_dominated(losses), strict=True) if is_member]
    return sorted(members, key=lambda row: _number(row[error_column]))


def best_error(rows: Sequence[Mapping[str, Any]], error_column: str) -> float:
    """Return the smallest validation error of a finished trial; NaN if there is none."""
    errors = [_number(row[error_column]) for row in rows if row["status"] == "finished"]
    return min((error for error in errors if not math.isnan(error)), default=math.nan)


def confirmation_seconds(front: Sequence[Mapping[str, Any]], times: int, at_once: int) -> float:
    """Estimate the seconds to train each member of a front so many times, from their times in the search."""
    trainings = [float(member["seconds"]) for member in front]
    return max(sum(trainings) * times / at_once, max(trainings, default=0.0))


def _number(cell: Any) -> float:
    """Return a cell as float, NaN where it is empty: None in a row of the ledger."""
    return math.nan if cell is None else float(cell)
