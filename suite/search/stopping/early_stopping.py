"""What stops the trials of a search early: the rule that its space names, and what it remembers."""

from collections.abc import Mapping
from typing import Protocol

from search_spaces import SearchSpace
from suite.runs.ledger import RunLedger
from suite.search.stopping.forecast_rule import ForecastRule, ForecastStopping
from suite.search.stopping.rungs import RungRule, Rungs
from suite.trial import UNIT

ERROR = "val_mae"
#: What a trial of the run is judged by, as its row of trials.parquet has them, beside the error of an epoch.
COSTS = ("params", "macs", "bytes")


class EarlyStopping(Protocol):
    """A rule at work."""

    def why_stop(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> str | None:
        """Record a trial after an epoch; why it is stopped there, as read after that word, or None.

        Args:
            trial_id: one that was recorded at this epoch before takes its own place.
            epoch: how many the trial has trained, from 1.
            losses: by the names of objectives; those that the rule does not look at are passed over.
        """
        ...


def stopping_of(space: SearchSpace) -> EarlyStopping | None:
    """The rule of a space, with nothing recorded yet; None where it stops nothing."""
    stopping, epochs = space.stopping, space.base.epochs
    if stopping.rule == "none":
        return None
    if stopping.rule == "forecast":
        costs = tuple(name for name in space.objectives if name != ERROR)
        judged_after = stopping.rungs_below(epochs)
        return ForecastStopping(
            ForecastRule(costs, epochs, judged_after, stopping.chance, UNIT[space.base.attribute])
        )
    objectives = tuple(space.objectives) if stopping.rule == "front" else (ERROR,)
    return Rungs(RungRule(objectives, stopping.rungs_below(epochs), stopping.reduction_factor))


def recall(stopping: EarlyStopping, ledger: RunLedger) -> None:
    """Record the trials of earlier sessions, whatever they came to.

    A trial that was under way when a session ended goes on in this one, and is recorded then.
    """
    for row in ledger.rows:
        if row["stage"] != "search" or any(row[name] is None for name in COSTS):
            continue
        costs = {name: float(row[name]) for name in COSTS}
        for epoch in ledger.epochs_of(row["id"]):
            error = epoch[f"{ERROR}_{UNIT[row['attribute']]}"]
            stopping.why_stop(row["id"], int(epoch["epoch"]), {ERROR: float(error), **costs})
