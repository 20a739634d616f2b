"""The rungs of a search: what was recorded at each, and why a trial was stopped at one.

Nothing here knows Ray, or a network: losses go in by the names of objectives, as a table of trainings done
before can give them as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from search_spaces import SearchSpace
from suite.runs import RunLedger
from suite.search.promotion import Verdict, judge
from suite.trial import UNIT

ERROR = "val_mae"
#: What a trial of the run is judged by, as its row of trials.parquet has them, beside the error of an epoch.
COSTS = ("params", "macs", "bytes")


@dataclass(frozen=True)
class StoppingRule:
    """How a search stops trials early."""

    objectives: tuple[str, ...]  # the losses that a rung compares: of val_mae, params, macs, bytes
    rungs: tuple[int, ...]  # epochs after which trials are compared, ascending
    reduction_factor: int

    @classmethod
    def of(cls, space: SearchSpace) -> Self | None:
        """The rule that a space names; None where it stops nothing."""
        stopping = space.stopping
        if stopping.rule == "none":
            return None
        objectives = space.objectives if stopping.rule == "front" else (ERROR,)
        return cls(tuple(objectives), stopping.rungs_below(space.base.epochs), stopping.reduction_factor)

    @property
    def measure(self) -> str:
        """What a trial is placed by, in words."""
        return "validation error" if self.objectives == (ERROR,) else "front rank"


class Rungs:
    """The losses that trials had when they reached each rung."""

    def __init__(self, rule: StoppingRule) -> None:
        self.rule = rule
        self._recorded: dict[int, dict[str, list[float]]] = {rung: {} for rung in rule.rungs}

    def enter(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> Verdict | None:
        """Record a trial after an epoch; the verdict of the rung, or None where no rung is.

        Args:
            trial_id: one that is at the rung already takes its own place there.
            epoch: how many the trial has trained.
            losses: by the names of objectives; those that the rule does not compare are passed over.
        """
        if epoch not in self._recorded:
            return None
        rung = self._recorded[epoch]
        newcomer = [float(losses[name]) for name in self.rule.objectives]
        others = [recorded for other, recorded in rung.items() if other != trial_id]
        rung[trial_id] = newcomer
        before = np.array(others, dtype=np.float64).reshape(len(others), len(newcomer))
        return judge(before, newcomer, self.rule.reduction_factor)

    def cause(self, epoch: int, verdict: Verdict) -> str:
        """Why a rung stopped a trial, as it is read after the word "stopped"."""
        first = "only the first goes" if verdict.quota == 1 else f"the first {verdict.quota} go"
        return (
            f"{_ordinal(verdict.place)} of {verdict.of} by {self.rule.measure} at epoch {epoch}, "
            f"where {first} on"
        )

    def recall(self, ledger: RunLedger) -> None:
        """Enter the trials of earlier sittings, whatever they came to.

        A trial that was under way when a sitting ended is trained again, and enters then.
        """
        for row in ledger.rows:
            if row["stage"] != "search" or any(row[name] is None for name in COSTS):
                continue
            costs = {name: float(row[name]) for name in COSTS}
            for epoch in ledger.epochs_of(row["id"]):
                error = epoch[f"{ERROR}_{UNIT[row['attribute']]}"]
                self.enter(row["id"], int(epoch["epoch"]), {ERROR: float(error), **costs})


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"
