"""The cheapest network that is as good as the best, within a tolerance and with confidence."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.model.confirmed_front import ranked
from reports.model.trials import FrontSummary, Trial
from suite.statistics.multiple_comparisons import BehindBest, Comparison, compare_with_best

#: Differences in validation MAE that do not matter to a reader, by unit.
TOLERANCE: Mapping[str, float] = {"years": 0.3, "points": 0.05}


@dataclass(frozen=True)
class Verdict:
    """What the confirmed members say together.

    Attributes:
        comparison: Of all members that have confirmed errors with the best of them.
        tolerance: How far behind the best a network may be, in ``unit``.
        unit: "years" or "points".
        choice: The member with the fewest parameters that is within the tolerance; None: none is for certain.
    """

    comparison: Comparison
    tolerance: float
    unit: str
    choice: Trial | None

    @property
    def against(self) -> Mapping[str, BehindBest]:
        """Each member against the best of the others, by its id."""
        return {one.name: one for one in self.comparison.networks}

    @property
    def perhaps_best(self) -> tuple[str, ...]:
        """The ids of the members that cannot be told apart from the best, by rising mean; each may be the best."""
        return tuple(one.name for one in self.comparison.networks if not one.is_beaten)

    @property
    def tolerance_in_words(self) -> str:
        """The tolerance with its unit."""
        return f"{self.tolerance:g} {self.unit[:-1] if self.tolerance == 1 else self.unit}"


def verdict(summary: FrontSummary, unit: str, tolerance: float | None = None) -> Verdict | None:
    """Compare the confirmed members of a front; None where there is too little to compare.

    Args:
        summary: Of a run, confirmed or not.
        unit: "years" or "points".
        tolerance: How far behind the best a network may be, in the unit; None: as ``TOLERANCE``.
    """
    members = {trial.id: trial for trial in ranked(summary) if trial.confirmed and trial.is_within_bounds}
    comparison = compare_with_best({id_: t.confirmed.errors for id_, t in members.items() if t.confirmed})
    if comparison is None:
        return None
    tolerance = TOLERANCE[unit] if tolerance is None else tolerance
    within = [members[one.name] for one in comparison.within(tolerance)]
    choice = min(within, key=lambda trial: (trial.params, trial.error), default=None)
    return Verdict(comparison, tolerance, unit, choice)
