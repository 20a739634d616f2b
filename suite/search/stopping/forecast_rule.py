"""Early stopping by forecast: a trial goes on while it has a chance of a place on the front."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from suite.search.stopping.forecast import forecast


@dataclass(frozen=True)
class ForecastRule:
    """When a trial has no prospects left."""

    costs: tuple[str, ...]  # the objectives beside the validation error
    epochs: int  # of every trial
    judged_after: tuple[int, ...]  # epochs, ascending
    chance: float  # of a place on the front, with which a trial goes on at least
    unit: str  # of errors: years or points


@dataclass
class _Curve:
    costs: tuple[float, ...]
    errors: dict[int, float]  # by epoch


class ForecastStopping:
    """The learning curves of a search, and what those under way can still become."""

    def __init__(self, rule: ForecastRule) -> None:
        self.rule = rule
        self._curves: dict[str, _Curve] = {}

    def why_stop(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> str | None:
        """Record a trial after an epoch; why it is stopped, as it is read after that word, or None.

        A trial that costs less than every finished one, in whatever objective, has nothing to be compared
        with and goes on: the front keeps its ends.
        """
        curve = self._curves.setdefault(
            trial_id, _Curve(tuple(float(losses[name]) for name in self.rule.costs), {})
        )
        curve.errors[epoch] = float(losses["val_mae"])
        if epoch not in self.rule.judged_after or epoch >= self.rule.epochs:
            return None
        ended = {name: other for name, other in self._ended(epoch).items() if name != trial_id}
        rivals = [
            (other.errors[self.rule.epochs], name)
            for name, other in ended.items()
            if all(theirs <= own for theirs, own in zip(other.costs, curve.costs, strict=True))
        ]
        if not rivals:
            return None
        ahead = forecast(
            np.array([other.errors[epoch] for other in ended.values()]),
            np.array([other.costs for other in ended.values()]).reshape(len(ended), len(self.rule.costs)),
            np.array([other.errors[self.rule.epochs] for other in ended.values()]),
            curve.errors[epoch],
            np.array(curve.costs),
        )
        error, rival = min(rivals)
        if ahead is None or (chance := ahead.chance_below(error)) >= self.rule.chance:
            return None
        cheaper = "which costs no more" if self.rule.costs else "the best so far"
        return (
            f"forecast at epoch {epoch} to end at {ahead.median:.3g} {self.rule.unit}, with a chance of "
            f"{_percent(chance)} to be better than {rival} ({error:.3g}), {cheaper}"
        )

    def _ended(self, epoch: int) -> dict[str, _Curve]:
        """The trials that trained to their end, and whose error after ``epoch`` is known and can be used."""
        return {
            name: curve
            for name, curve in self._curves.items()
            if _is_error(curve.errors.get(self.rule.epochs)) and _is_error(curve.errors.get(epoch))
        }


def _is_error(error: float | None) -> bool:
    """A logarithm can be taken of it."""
    return error is not None and math.isfinite(error) and error > 0


def _percent(chance: float) -> str:
    return f"{chance:.0%}" if chance >= 0.005 else "less than 0.5%"
