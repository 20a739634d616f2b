"""Early stopping by forecast: a trial goes on while it has a chance to reach the front."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from suite.search.stopping.forecast import forecast


@dataclass(frozen=True)
class ForecastRule:
    """When a trial is stopped."""

    costs: tuple[str, ...]  # the objectives besides the validation error
    epochs: int  # of every trial
    forecast_after: tuple[int, ...]  # epochs after which a forecast is made, ascending
    chance: float  # the least probability of reaching the front with which a trial goes on
    unit: str  # of errors: years or points


@dataclass
class _Curve:
    costs: tuple[float, ...]
    errors: dict[int, float]  # by epoch


class ForecastStopping:
    """The learning curves of a search, from which the final errors of running trials are forecast."""

    def __init__(self, rule: ForecastRule) -> None:
        self.rule = rule
        self._curves: dict[str, _Curve] = {}

    def why_stop(self, trial_id: str, epoch: int, losses: Mapping[str, float]) -> str | None:
        """Record a trial after an epoch, and decide whether it is stopped there.

        A trial that costs less than every finished one in some objective has nothing to be compared with and
        goes on, so that the front keeps its ends.

        Returns:
            Why it is stopped, to be read after the word "stopped"; None: it goes on.
        """
        curve = self._curves.setdefault(
            trial_id, _Curve(tuple(float(losses[name]) for name in self.rule.costs), {})
        )
        curve.errors[epoch] = float(losses["val_mae"])
        if epoch not in self.rule.forecast_after or epoch >= self.rule.epochs:
            return None
        ended = {name: other for name, other in self._ended(epoch).items() if name != trial_id}
        rivals = [
            (other.errors[self.rule.epochs], name)
            for name, other in ended.items()
            if all(theirs <= own for theirs, own in zip(other.costs, curve.costs, strict=True))
        ]
        if not rivals:
            return None
        outcome = forecast(
            np.array([other.errors[epoch] for other in ended.values()]),
            np.array([other.costs for other in ended.values()]).reshape(len(ended), len(self.rule.costs)),
            np.array([other.errors[self.rule.epochs] for other in ended.values()]),
            curve.errors[epoch],
            np.array(curve.costs),
        )
        error, rival = min(rivals)
        if outcome is None or (chance := outcome.chance_below(error)) >= self.rule.chance:
            return None
        cheaper = "which costs no more" if self.rule.costs else "the best so far"
        return (
            f"forecast at epoch {epoch} to end at {outcome.median:.3g} {self.rule.unit}, with a chance of "
            f"{_percent(chance)} to be better than {rival} ({error:.3g}), {cheaper}"
        )

    def _ended(self, epoch: int) -> dict[str, _Curve]:
        """Return the trials that trained to their end and whose error after ``epoch`` can be used."""
        return {
            name: curve
            for name, curve in self._curves.items()
            if _is_error(curve.errors.get(self.rule.epochs)) and _is_error(curve.errors.get(epoch))
        }


def _is_error(error: float | None) -> bool:
    """Return whether an error has a logarithm."""
    return error is not None and math.isfinite(error) and error > 0


def _percent(chance: float) -> str:
    return f"{chance:.0%}" if chance >= 0.005 else "less than 0.5%"
