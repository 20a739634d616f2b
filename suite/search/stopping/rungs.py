"""The rungs of a search: the losses recorded at each, and why a trial was stopped at one.

Neither Ray nor a network is needed here. Losses are given by objective, so that a table of earlier trainings
can be replayed as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from suite.search.stopping.promotion import Decision, decide


@dataclass(frozen=True)
class RungRule:
    """What the rungs of a search compare, and when."""

    objectives: tuple[str, ...]  # the losses that a rung compares: of val_mae, params, macs, bytes
    rungs: tuple[int, ...]  # epochs after which trials are compared, ascending
    reduction_factor: int

    @property
    def measure(self) -> str:
        """The measure that ranks the trials, in words."""
        return "validation error" if self.objectives == ("val_mae",) else "front rank"


class Rungs:
    """The losses that trials had when they reached each rung."""

    def __init__(self, rule: RungRule) -> None:
        self.rule = rule
        self._recorded: dict[int, dict[str, list[float]]] = {rung: {} for rung in rule.rungs}

    def record(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> Decision | None:
        """Record a trial after an epoch.

        Args:
            trial_id: Of the trial; recorded again at the same rung, it replaces its own record.
            epoch: How many the trial has trained, from 1.
            losses: By objective; those that the rule does not compare are ignored.

        Returns:
            The decision of the rung; None where the epoch has no rung.
        """
        if epoch not in self._recorded:
            return None
        rung = self._recorded[epoch]
        newcomer = [float(losses[name]) for name in self.rule.objectives]
        others = [recorded for other, recorded in rung.items() if other != trial_id]
        rung[trial_id] = newcomer
        before = np.array(others, dtype=np.float64).reshape(len(others), len(newcomer))
        return decide(before, newcomer, self.rule.reduction_factor)

    def why_stop(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> str | None:
        """Record a trial after an epoch, and decide whether it is stopped there.

        Returns:
            Why it is stopped, to be read after the word "stopped"; None: it goes on.
        """
        decision = self.record(trial_id, epoch, losses)
        return None if decision is None or decision.goes_on else self.cause(epoch, decision)

    def cause(self, epoch: int, decision: Decision) -> str:
        """Return why a rung stopped a trial, to be read after the word "stopped"."""
        first = "only the first goes" if decision.quota == 1 else f"the first {decision.quota} go"
        return (
            f"{_ordinal(decision.rank)} of {decision.of} by {self.rule.measure} at epoch {epoch}, "
            f"where {first} on"
        )


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"
