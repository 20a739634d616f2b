"""Rows of ``trials.parquet`` by stage, and their cells, empty ones included, as plain Python values."""

import math
from collections.abc import Mapping
from typing import Any, cast

from suite.runs.tables import Run
from suite.trial import WorstGroup

Row = Mapping[str, Any]


def rows_of(run: Run, stage: str) -> list[dict[str, Any]]:
    """Return the rows of one stage, such as ``search`` or ``confirm``, in the order in which they ended."""
    if not len(run.trials):
        return []
    rows = run.trials[run.trials["stage"] == stage]
    return cast(list[dict[str, Any]], rows.to_dict("records"))


def rows_by_stage(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Return all rows by stage, each in the order in which they ended."""
    stages = run.trials["stage"].unique() if len(run.trials) else ()
    return {str(stage): rows_of(run, stage) for stage in stages}


def number(row: Row, column: str) -> float:
    """Return a cell as float, NaN if it is empty; pandas marks that in four ways (NA, NaN, None, no column)."""
    try:
        return float(row.get(column))  # type: ignore[arg-type]
    except TypeError:
        return math.nan


def worst_group(row: Row, split: str, unit: str) -> WorstGroup | None:
    """Return the worst group of a row on a split; None if it has none, as in runs of earlier versions."""
    mae = number(row, f"{split}_worst_group_mae_{unit}")
    people = number(row, f"{split}_worst_group_people")
    name = words(row, f"{split}_worst_group")
    if not name or math.isnan(mae) or math.isnan(people):
        return None
    return WorstGroup(name, mae, int(people))


def words(row: Row, column: str, default: str = "") -> str:
    """Return a cell as text, or ``default`` if it is empty or the run is older than the column."""
    value = row.get(column)
    return value if isinstance(value, str) else default
