"""How two ways to confirm a front agree: the whole procedure of sharing repeated, and the members trained alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.model.confirmation import Confirmed, other_confirmations
from reports.model.trials import FrontSummary
from suite.runs.tables import Run
from suite.statistics.paired import Difference, Interval, mean_interval, paired_difference
from suite.statistics.rank_correlation import RankCorrelation, rank_correlation


@dataclass(frozen=True)
class MemberAgreement:
    """A member of the front that was confirmed both ways.

    Attributes:
        procedure: Its trainings from slices of new elastic networks.
        scratch: Its trainings alone.
        difference: Of the validation MAEs, the procedure's minus those alone, seed by seed; None without a common
            seed.
    """

    procedure: Confirmed
    scratch: Confirmed
    difference: Difference | None

    @property
    def member(self) -> str:
        """Id of the trial."""
        return self.procedure.member

    @property
    def of_means(self) -> float:
        """The procedure's mean validation MAE minus that alone."""
        return self.procedure.mean - self.scratch.mean


@dataclass(frozen=True)
class Agreement:
    """How both ways agree over the members that have errors of both.

    Attributes:
        members: By ascending mean of the procedure.
        mean: Mean over the members of the procedure's mean minus that alone, with its interval over members.
        ranking: How well one mean ranks the other; None of too few members.
    """

    members: tuple[MemberAgreement, ...]
    mean: Interval
    ranking: RankCorrelation | None


def agreement(run: Run, summary: FrontSummary) -> Agreement | None:
    """Return how both ways agree; None if no member was confirmed both ways."""
    sharing = run.info.sharing
    if sharing is None:
        return None
    ways = (summary.confirmations, other_confirmations(run))
    procedure, scratch = ways if sharing.counted == "procedure" else ways[::-1]
    return compared_ways(procedure, scratch)


def compared_ways(procedure: Mapping[str, Confirmed], scratch: Mapping[str, Confirmed]) -> Agreement | None:
    """Compare the errors of members that were confirmed both ways; the differences are one family (Bonferroni)."""
    both = [
        (procedure[name], scratch[name])
        for name in procedure
        if name in scratch and procedure[name].errors and scratch[name].errors
    ]
    if not both:
        return None
    paired = sum(1 for first, second in both if first.errors.keys() & second.errors.keys())
    members = sorted(
        (MemberAgreement(first, second, _difference(first, second, paired)) for first, second in both),
        key=lambda one: one.procedure.mean,
    )
    return Agreement(
        tuple(members),
        mean_interval([one.of_means for one in members]),
        rank_correlation([one.procedure.mean for one in members], [one.scratch.mean for one in members]),
    )


def _difference(procedure: Confirmed, scratch: Confirmed, comparisons: int) -> Difference | None:
    if not procedure.errors.keys() & scratch.errors.keys():
        return None
    return paired_difference(
        (f"{scratch.member} alone", scratch.errors),
        (f"{procedure.member} by the procedure", procedure.errors),
        comparisons=comparisons,
    )
