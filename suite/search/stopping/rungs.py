"""The rungs of a search: what was recorded at each, and why a trial was stopped at one.

Nothing here knows Ray, or a network: losses go in by the names of objectives, as a table of trainings done
before can give them as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from suite.search.stopping.promotion import Verdict, judge


@dataclass(frozen=True)
class RungRule:
    """What the rungs of a search compare, and when."""

    objectives: tuple[str, ...]  # the losses that a rung compares: of val_mae, params, macs, bytes
    rungs: tuple[int, ...]  # epochs after which trials are compared, ascending
    reduction_factor: int

    @property
    def measure(self) -> str:
        """What a trial is placed by, in words."""
        return "validation error" if self.objectives == ("val_mae",) else "front rank"


class Rungs:
    """The losses that trials had when they reached each rung."""

    def __init__(self, rule: RungRule) -> None:
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

    def why_stop(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> str | None:
        """Record a trial after an epoch; why a rung stops it, as it is read after that word, or None."""
        verdict = self.enter(trial_id, epoch, losses)
        return None if verdict is None or verdict.goes_on else self.cause(epoch, verdict)

    def cause(self, epoch: int, verdict: Verdict) -> str:
        """Why a rung stopped a trial, as it is read after the word "stopped"."""
        first = "only the first goes" if verdict.quota == 1 else f"the first {verdict.quota} go"
        return (
            f"{_ordinal(verdict.place)} of {verdict.of} by {self.rule.measure} at epoch {epoch}, "
            f"where {first} on"
        )


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"
