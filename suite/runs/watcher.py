"""How a search stands: what a person who watches it wants to know."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from suite.statistics.pareto import non_dominated
from suite.trial import Stage, TrialResult


@dataclass(frozen=True)
class SearchProgress:
    """Counts, the best error, the front and the time left."""

    asked: int
    finished: int
    running: int
    stopped: int  # early, by a rung
    lost: int  # ended without a result: diverged or failed
    share_done: float  # of all the training that was asked for, in epochs, 0..1
    best_mae: float  # NaN before the first result
    unit: str  # of best_mae
    front: int  # members of the front so far
    seconds: float  # wall time since the search began
    seconds_left: float  # NaN before the first epoch
    stage: Stage = "search"  # what the trials counted here are trained for


class Watcher(Protocol):
    """Somebody who watches a search."""

    def stage(self, sentence: str) -> None:
        """A new stage of the work begins."""

    def change(self, standing: SearchProgress, ended: TrialResult | None) -> None:
        """A trial began, went on, or (``ended``) ended."""

    def advance(self, done: int, of: int) -> None:
        """So many steps of the stage are done, after the trials."""

    def close(self) -> None:
        """Nothing more will come."""


def front_rows(
    rows: Sequence[Mapping[str, Any]], objectives: Iterable[str], error_column: str
) -> list[Mapping[str, Any]]:
    """The rows of the search's finished trials that no other dominates, by rising error."""
    columns = [error_column if name == "val_mae" else name for name in objectives]
    finished = [row for row in rows if row["status"] == "finished" and row["stage"] == "search"]
    if not finished:
        return []
    losses = np.array([[float(row[column]) for column in columns] for row in finished])
    members = [row for row, is_member in zip(finished, non_dominated(losses), strict=True) if is_member]
    return sorted(members, key=lambda row: float(row[error_column]))


def best_error(rows: Sequence[Mapping[str, Any]], error_column: str) -> float:
    """The smallest validation error of a finished trial; NaN where there is none."""
    errors = [float(row[error_column]) for row in rows if row["status"] == "finished"]
    return min(errors, default=math.nan)


def confirmation_seconds(front: Sequence[Mapping[str, Any]], seeds: int, at_once: int) -> float:
    """How long it takes to train a front's members again, from how long they took in the search."""
    trainings = [float(member["seconds"]) for member in front] * seeds
    return max(sum(trainings) / at_once, max(trainings, default=0.0))
