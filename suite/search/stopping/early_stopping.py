"""Early stopping: the rule that a search space names, and the trials that it compares."""

import math
from collections.abc import Mapping
from typing import Protocol, assert_never

from search_spaces import SearchSpace
from suite.runs.info import objective_column
from suite.runs.ledger import RunLedger
from suite.search.stopping.forecast_stopping import ForecastRule, ForecastStopping
from suite.search.stopping.rungs import RungRule, Rungs
from suite.trial import UNIT, Metrics

ERROR, WORST_GROUP_ERROR = "val_mae", "worst_group_mae"
#: What a rule may compare besides the error of an epoch: columns of trials.parquet.
COSTS = ("params", "macs", "bytes")


class EarlyStopping(Protocol):
    """A rule, with the trials that it has recorded."""

    def why_stop(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> str | None:
        """Record a trial after an epoch, and decide whether it is stopped there.

        Args:
            trial_id: Of the trial; recorded again at the same epoch, it replaces its own record.
            epoch: How many the trial has trained, from 1.
            losses: By objective; those that the rule does not compare are ignored.

        Returns:
            Why it is stopped, to be read after the word "stopped"; None: it goes on.
        """
        ...


def stopping_of(space: SearchSpace) -> EarlyStopping | None:
    """Return the rule of a space, with nothing recorded yet; None where it stops nothing."""
    stopping, epochs = space.stopping, space.base.epochs
    match stopping.rule:
        case "none":
            return None
        case "forecast":
            costs = tuple(name for name in space.objectives if name != ERROR)
            forecast_after = stopping.rungs_below(epochs)
            return ForecastStopping(
                ForecastRule(costs, epochs, forecast_after, stopping.chance, UNIT[space.base.attribute])
            )
        case "front":
            return Rungs(
                RungRule(tuple(space.objectives), stopping.rungs_below(epochs), stopping.reduction_factor)
            )
        case "error":
            return Rungs(RungRule((ERROR,), stopping.rungs_below(epochs), stopping.reduction_factor))
        case _:
            assert_never(stopping.rule)


def replay(stopping: EarlyStopping, ledger: RunLedger) -> None:
    """Record the trials that ended in earlier sessions, whatever their status.

    A trial that was running when a session ended continues in this one, and is recorded then.
    """
    for row in ledger.rows:
        if row["stage"] != "search" or any(row[name] is None for name in COSTS):
            continue
        costs = {name: float(row[name]) for name in COSTS}
        for epoch in ledger.epochs_of(row["id"]):
            errors = {
                name: _error(epoch.get(objective_column(name, UNIT[row["attribute"]])))
                for name in (ERROR, WORST_GROUP_ERROR)
            }
            stopping.why_stop(row["id"], int(epoch["epoch"]), {**errors, **costs})


def errors_of(validation: Metrics) -> dict[str, float]:
    """Return the errors of an epoch that a rule may compare, by objective; NaN for one that the data does not have."""
    return {ERROR: validation.mae, WORST_GROUP_ERROR: validation.worst_group_mae}


def _error(cell: float | None) -> float:
    return math.nan if cell is None else float(cell)
