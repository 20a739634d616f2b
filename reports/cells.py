"""The cells of a row of ``trials.parquet`` as plain Python values, the empty ones too."""

import math
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


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
