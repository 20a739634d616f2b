"""The section "Confirmed": the front's members by their mean error over several new seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from reports import formatting
from reports.html.templating import render
from reports.model.confirmation import procedure_in_words, seeds_asked
from reports.model.confirmed_front import compared, dominator, fallen, ranked
from reports.model.difference_text import NO_DIFFERENCE
from reports.model.interval_text import IntervalText, interval_text, mean_text
from reports.model.points import seeds_of
from reports.model.trials import FrontSummary, Trial
from reports.model.within_tolerance import Verdict, verdict
from suite.runs.info import RunInfo
from suite.statistics.paired import Difference


@dataclass(frozen=True)
class Separable:
    """Which neighbours on the front can be told apart: a sentence, or that none can, or the pairs that cannot."""

    sentence: str = ""
    none: bool = False
    pairs: tuple[str, ...] = ()


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
    behind: str  # the best, at most
    difference: IntervalText | None
    verdict: str


@dataclass(frozen=True)
class Choice:
    """The cheapest network within the tolerance of the best, as a sentence shows it."""

    id: str  # empty: none is for certain
    params: float
    behind: str
    tolerance: str
    detectable: str
    degrees: int
    is_pooled: bool


def confirmed_section(info: RunInfo, summary: FrontSummary) -> Markup:
    """Render the section; empty without a front, or if the search itself trains each point with several seeds."""
    if not summary.searched_front or seeds_of(info) > 1:
        return Markup("")
    return _confirmed(info, summary) if summary.is_confirmed else _unconfirmed(info, summary)


def _unconfirmed(info: RunInfo, summary: FrontSummary) -> Markup:
    seeds, members = seeds_asked(info), len(summary.searched_front)
    return render(
        "unconfirmed",
        seeds=seeds,
        every=_every(members).lower(),
        ended=sum(len(confirmed.trainings) for confirmed in summary.confirmations.values()),
        asked=members * seeds,
        how=procedure_in_words(info),
    )


def _confirmed(info: RunInfo, summary: FrontSummary) -> Markup:
    members, against, found = ranked(summary), compared(summary, info), verdict(summary, info.unit)
    return render(
        "confirmed",
        choice=_choice(found, info) if found else None,
        separable=_separable(summary, against),
        fallen=[trial.id for trial in fallen(summary)],
        optimism=_optimism(members, info),
        every=_every(len(members)),
        seeds=sorted({t.seed for trial in members if trial.confirmed for t in trial.confirmed.trainings}),
        how=procedure_in_words(info),
        tested=any(math.isfinite(trial.test_error) for trial in members),
        titles=_titles(info),
        rows=[
            _row(rank, t, against.get(t.id), found.highest if found else {}, summary, info)
            for rank, t in enumerate(members, 1)
        ],
    )


def _choice(found: Verdict, info: RunInfo) -> Choice:
    chosen, unit = found.choice, info.unit
    return Choice(
        id=chosen.id if chosen else "",
        params=chosen.params if chosen else math.nan,
        behind=formatting.error_with_unit(found.highest[chosen.id], unit) if chosen else "",
        tolerance=f"{found.tolerance:g} {unit}",
        detectable=formatting.error_with_unit(found.comparison.detectable, unit),
        degrees=found.comparison.degrees,
        is_pooled=found.comparison.is_pooled,
    )


def _every(members: int) -> str:
    return "The one member" if members == 1 else f"Each of the {members} members"


def _separable(summary: FrontSummary, against: Mapping[str, Difference]) -> Separable:
    """Find the neighbours on the front that cannot be told apart; none for a front of one member."""
    found = [against[trial.id] for trial in summary.front if trial.id in against]
    if not found:
        return Separable()
    if all(difference.interval.values == 1 for difference in found):
        return Separable("One seed of each finished, which cannot show whether neighbours can be told apart.")
    alike = [difference for difference in found if not difference.seen]
    if not alike:
        return Separable("All neighbours on the front can be told apart by their error.")
    if len(alike) == len(found) > 1:
        return Separable(none=True)
    return Separable(pairs=tuple(f"{difference.first} and {difference.second}" for difference in alike))


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
        "behind the best, at most",
        "difference, interval",
        "in words",
    )


def _row(
    rank: int,
    trial: Trial,
    difference: Difference | None,
    highest: Mapping[str, float],
    summary: FrontSummary,
    info: RunInfo,
) -> Row:
    assert trial.confirmed is not None
    unit, errors = info.unit, trial.confirmed.errors
    lost = len(trial.confirmed.trainings) - len(errors)
    return Row(
        rank=str(rank) if errors else formatting.MISSING,
        id=trial.id,
        mean=mean_text(errors.values(), unit),
        seeds=[f"{seed}: {formatting.error(e, unit)}" for seed, e in errors.items()],
        lost=f"{lost} without a result" if lost else "",
        test=mean_text(trial.confirmed.tests.values(), unit),
        searched=formatting.error(trial.val_mae, unit),
        searched_minus_mean=formatting.signed(trial.val_mae - trial.error, unit) if errors else "",
        params=trial.params,
        behind=formatting.error(highest[trial.id], unit) if trial.id in highest else "",
        difference=interval_text(difference.interval, unit, signed=True) if difference else None,
        verdict=_verdict(trial, difference, summary, info),
    )


def _verdict(trial: Trial, difference: Difference | None, summary: FrontSummary, info: RunInfo) -> str:
    if not _errors(trial):
        return "off the front: none of its trainings finished"
    position = "on the front"
    if not trial.on_front:
        by = dominator(trial, summary, info)
        position = f"off the front: {by} is nowhere worse and somewhere better"
    if difference is None:
        return position
    words = ("lower" if difference.interval.mean < 0 else "higher") + " error than"
    words = words if difference.seen else f"{NO_DIFFERENCE} to"
    unpaired = ""
    if difference.unpaired:
        unpaired = f" ({formatting.count(difference.unpaired, 'seed')} unpaired, left out)"
    return f"{position}; {words} {difference.first}{unpaired}"


def _errors(trial: Trial) -> list[float]:
    return list(trial.confirmed.errors.values()) if trial.confirmed else []
