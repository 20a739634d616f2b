"""The section "Confirmed": the front, and what was trained again beside it, by mean error over new seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from reports import formatting
from reports.html.templating import render
from reports.model.confirmation import procedure_in_words, seeds_asked
from reports.model.confirmed_front import beside, dominator, fallen, ranked, risen
from reports.model.interval_text import IntervalText, basis, mean_text
from reports.model.points import seeds_of
from reports.model.training_length import training_length
from reports.model.trials import FrontSummary, Trial
from reports.model.unconfirmed import options_to_confirm
from reports.model.within_tolerance import Verdict
from suite.runs.info import RunInfo
from suite.statistics.multiple_comparisons import BehindBest
from suite.statistics.paired import Interval


@dataclass(frozen=True)
class Row:
    """A member in the table."""

    rank: str
    id: str
    mean: IntervalText | None
    seeds: list[str]  # the error of each
    lost: str
    test: IntervalText | None
    searched: str  # the search's error
    searched_minus_mean: str
    params: float
    behind: IntervalText | None  # the best of the others
    words: str


@dataclass(frozen=True)
class Power:
    """What the comparison of the members could have seen, and how."""

    detectable: str  # empty: no difference, however large
    degrees: int
    is_pooled: bool


def confirmed_section(info: RunInfo, summary: FrontSummary, found: Verdict | None) -> Markup:
    """Render the section; empty without a front, or if the search itself trains each point with several seeds.

    ``found`` is the verdict on the confirmed members; None where there is too little to compare.
    """
    if not summary.searched_front or seeds_of(info) > 1:
        return Markup("")
    return _confirmed(info, summary, found) if summary.is_confirmed else _unconfirmed(info, summary)


def _unconfirmed(info: RunInfo, summary: FrontSummary) -> Markup:
    seeds, members = seeds_asked(info), len(summary.selected)
    return render(
        "unconfirmed",
        seeds=seeds,
        every=_every(len(summary.searched_front)).lower(),
        length=training_length(summary).searched,
        options=" ".join(map(str, options_to_confirm(info))),
        ended=sum(len(confirmed.trainings) for confirmed in summary.confirmations.values()),
        asked=members * seeds,
        how=procedure_in_words(info),
    )


def _confirmed(info: RunInfo, summary: FrontSummary, found: Verdict | None) -> Markup:
    members, length = ranked(summary), training_length(summary)
    return render(
        "confirmed",
        power=_power(found) if found else None,
        comparable=sum(1 for trial in members if _errors(trial)),
        fallen=[trial.id for trial in fallen(summary)],
        risen=[trial.id for trial in risen(summary)],
        optimism=_optimism(members, info),
        every=_every(len(summary.searched_front)),
        beside=[trial.id for trial in beside(summary)],
        length=length.confirmed or "at full length",
        searched_length=length.searched if length.is_longer else "",
        seeds=sorted({t.seed for trial in members if trial.confirmed for t in trial.confirmed.trainings}),
        how=procedure_in_words(info),
        tested=any(math.isfinite(trial.test_error) for trial in members),
        basis=basis(_intervals(members)),
        titles=_titles(info),
        rows=[_row(rank, trial, found, summary, info) for rank, trial in enumerate(members, 1)],
    )


def _intervals(members: Sequence[Trial]) -> list[Interval | None]:
    known = [trial.confirmed for trial in members if trial.confirmed]
    return [one.interval for one in known] + [one.test_interval for one in known]


def _power(found: Verdict) -> Power:
    comparison = found.comparison
    seen = math.isfinite(comparison.detectable)
    return Power(
        detectable=formatting.error_with_unit(comparison.detectable, found.unit) if seen else "",
        degrees=comparison.degrees,
        is_pooled=comparison.is_pooled,
    )


def _every(members: int) -> str:
    return "The one member" if members == 1 else f"Each of the {members} members"


def _optimism(members: Sequence[Trial], info: RunInfo) -> str:
    """State how much lower the search's errors were than the confirmed ones, on average."""
    mean = fmean(trial.val_mae - trial.error for trial in members if _errors(trial))
    return f"{formatting.error_with_unit(abs(mean), info.unit)} {'lower' if mean < 0 else 'higher'}"


def _titles(info: RunInfo) -> tuple[str, ...]:
    return (
        "rank",
        "member",
        f"val MAE, {info.unit}: mean, 95 % interval",
        "each seed",
        f"test MAE, {info.unit}: mean, 95 % interval",
        "search's val MAE, minus the mean",
        "parameters",
        "behind the best of the others, interval",
        "in words",
    )


def _row(rank: int, trial: Trial, found: Verdict | None, summary: FrontSummary, info: RunInfo) -> Row:
    assert trial.confirmed is not None
    unit, errors = info.unit, trial.confirmed.errors
    lost = len(trial.confirmed.trainings) - len(errors)
    against = found.against.get(trial.id) if found else None
    return Row(
        rank=str(rank) if errors else formatting.MISSING,
        id=trial.id,
        mean=mean_text(trial.confirmed.interval, unit),
        seeds=[f"{seed}:\u00a0{formatting.error(e, unit)}" for seed, e in errors.items()],
        lost=f"{lost} without a result" if lost else "",
        test=mean_text(trial.confirmed.test_interval, unit),
        searched=formatting.error(trial.val_mae, unit),
        searched_minus_mean=formatting.signed(trial.val_mae - trial.error, unit) if errors else "",
        params=trial.params,
        behind=_behind(against, unit) if against else None,
        words="; ".join(filter(None, (_position(trial, summary, info), _against(against, found)))),
    )


def _behind(one: BehindBest, unit: str) -> IntervalText:
    ends = "no interval"
    if math.isfinite(one.high):
        ends = f"{formatting.signed(one.low, unit)} to {formatting.signed(one.high, unit)}"
    return IntervalText(formatting.signed(one.behind, unit), ends)


def _position(trial: Trial, summary: FrontSummary, info: RunInfo) -> str:
    if not _errors(trial):
        return "off the front: none of its trainings finished"
    if trial.on_front:
        return "on the front"
    if not trial.is_within_bounds:
        bound = formatting.error_with_unit(trial.worst_group_bound, info.unit)
        return f"off the front: its error for the worst group is above the bound of {bound}"
    return f"off the front: {dominator(trial, summary, info)} is nowhere worse and somewhere better"


def _against(one: BehindBest | None, found: Verdict | None) -> str:
    """State what the interval of a member against the best of the others says; empty without one."""
    if one is None or found is None:
        return ""
    if one.high == 0:
        return "the best"
    near = f" and within {found.tolerance_in_words} of it" if one.high <= found.tolerance else ""
    return ("worse than the best" if one.is_beaten else "may be the best") + near


def _errors(trial: Trial) -> list[float]:
    return list(trial.confirmed.errors.values()) if trial.confirmed else []
