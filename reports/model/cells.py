"""The rows of ``trials.parquet`` by stage, and their cells as plain Python values, the empty ones too."""

import math
from collections.abc import Mapping
from typing import Any, cast

from suite.runs.tables import Run

Row = Mapping[str, Any]


def rows_of(run: Run, stage: str) -> list[dict[str, Any]]:
    """The rows of one stage, in the order in which they ended: ``search`` or ``confirm``."""
    if not len(run.trials):
        return []
    rows = run.trials[run.trials["stage"] == stage]
    return cast(list[dict[str, Any]], rows.to_dict("records"))


def rows_by_stage(run: Run) -> dict[str, list[dict[str, Any]]]:
    """All rows by their stage, each in the order in which they ended."""
    stages = run.trials["stage"].unique() if len(run.trials) else ()
    return {str(stage): rows_of(run, stage) for stage in stages}


def number(row: Row, column: str) -> float:
    """A cell as float; pandas has four ways to say that there is none (NA, NaN, None, no column)."""
    try:
        return float(row.get(column))  # type: ignore[arg-type]
    except TypeError:
        return math.nan


def words(row: Row, column: str, default: str = "") -> str:
    """A cell as text; ``default`` where it is empty, or where the run is older than the column."""
    value = row.get(column)
    return value if isinstance(value, str) else default
