"""The section "Confirmed": the front's members by what they came to with several new seeds, as HTML."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from statistics import fmean

from reports import formatting
from reports.html.markup import count, mae, scrolling
from reports.model.confirmation import Confirmed, differences, seeds_asked
from reports.model.difference_text import NO_DIFFERENCE
from reports.model.points import seeds_of
from reports.model.trials import FrontSummary, Trial, objectives
from suite.runs.info import RunInfo
from suite.statistics.paired import Difference, Interval, mean_interval


def confirmed_section(info: RunInfo, summary: FrontSummary) -> str:
    """The whole section; empty without a front, and where each point has several seeds from the start."""
    if not summary.searched_front or seeds_of(info) > 1:
        return ""
    body = _confirmed(info, summary) if summary.is_confirmed else _unconfirmed(info, summary)
    return f"<section>\n<h2>Confirmed</h2>\n{body}\n</section>"


def ranked(summary: FrontSummary) -> tuple[Trial, ...]:
    """The members of the search's front by rising confirmed mean, those without one last."""
    by_id = {trial.id: trial for trial in summary.trials}
    members = [by_id[trial.id] for trial in summary.searched_front]
    return tuple(sorted(members, key=lambda t: (not _errors(t), t.error, t.params)))


def compared(summary: FrontSummary, info: RunInfo) -> dict[str, Difference]:
    """What each member is held against, by its id: paired differences in validation MAE.

    On the front it is the member ranked before it, off the front the one that dominates it.
    """
    members = {t.id: t.confirmed for t in ranked(summary) if t.confirmed and t.confirmed.errors}
    front = [members[trial.id] for trial in ranked(summary) if trial.on_front]
    pairs: list[tuple[Confirmed, Confirmed]] = list(pairwise(front))
    pairs += [
        (members[dominator(trial, summary, info)], members[trial.id])
        for trial in fallen(summary)
        if trial.id in members
    ]
    return {difference.second: difference for difference in differences(pairs)}


def fallen(summary: FrontSummary) -> tuple[Trial, ...]:
    """The members of the search's front that their confirmed means do not keep on it, by rank."""
    return tuple(trial for trial in ranked(summary) if not trial.on_front)


# --- not confirmed -----------------------------------------------------------------------------------


def _unconfirmed(info: RunInfo, summary: FrontSummary) -> str:
    seeds, members = seeds_asked(info), len(summary.searched_front)
    ended = [t for confirmed in summary.confirmations.values() for t in confirmed.trainings]
    once = "one training with one seed"
    if seeds == 1:
        text = (
            f"The front was not trained again: {_every(members).lower()} is <b>{once}, which "
            "tells nothing of whether its neighbours can be told apart from it</b>, nor of how much of its "
            "place it owes to luck. <code>--confirm-seeds 3</code> trains the members again."
        )
    elif len(ended) < members * seeds:
        text = (
            f"{len(ended)} of the {members * seeds} trainings that are to confirm the front have ended. "
            f"Until all have, the front that is shown is the search's, {once} each."
        )
    else:
        text = (
            "None of the trainings that were to confirm the front finished, so the front that is shown is "
            f"the search's, {once} each."
        )
    return f"<p>{text}</p>"


# --- confirmed ---------------------------------------------------------------------------------------


def _confirmed(info: RunInfo, summary: FrontSummary) -> str:
    members, against = ranked(summary), compared(summary, info)
    lead = (_separable(summary, against), _fallen(summary), _optimism(members, info))
    return (
        f'<p class="lead">{" ".join(filter(None, lead))}</p><p>{_how(info, members)}</p>'
        f"{_table(members, against, summary, info)}"
    )


def _how(info: RunInfo, members: Sequence[Trial]) -> str:
    seeds = sorted({t.seed for trial in members if trial.confirmed for t in trial.confirmed.trainings})
    numbers = ", ".join(map(str, seeds))
    test = "The test split has not been read."
    if any(math.isfinite(trial.test_error) for trial in members):
        test = "The test split was read once for each of these, after the last, and nothing was chosen by it."
    return (
        f"{_every(len(members))} of the search's front was trained again at full length "
        f"with the same {count(len(seeds), 'seed')}, none of them the search's ({numbers}). "
        "The training that a member was chosen by is not counted: it was chosen for its low error, which is "
        "therefore likely to be too low (Cawley and Talbot 2010). Ranks, front, knee and hypervolume go by "
        f"the confirmed means, on validation. {test} Means have their 95 % intervals (Student's t), which "
        "tell of other seeds on the same images, not of other images. Differences are formed seed by seed: "
        "between a member of the front and the one ranked before it, and between one off the front and what "
        "dominates it. Their intervals are widened so that all together hold with 95 % confidence "
        "(Bonferroni); more seeds narrow them (<code>--confirm-seeds</code>)."
    )


def _every(members: int) -> str:
    return "The one member" if members == 1 else f"Each of the {members} members"


def _separable(summary: FrontSummary, against: Mapping[str, Difference]) -> str:
    """Which neighbours on the front cannot be told apart; empty where the front has one member."""
    found = [against[trial.id] for trial in summary.front if trial.id in against]
    if not found:
        return ""
    if all(difference.interval.values == 1 for difference in found):
        return "One seed of each finished, which tells nothing of whether neighbours can be told apart."
    alike = [difference for difference in found if not difference.seen]
    if not alike:
        return "All neighbours on the front can be told apart by their error."
    if len(alike) == len(found) > 1:
        return "<b>No neighbours on the front can be told apart by their error.</b>"
    pairs = ", ".join(f"<b>{_pair(difference)}</b>" for difference in alike)
    return f"These neighbours on the front cannot be told apart by their error: {pairs}."


def _pair(difference: Difference) -> str:
    return f"{escape(difference.first)} and {escape(difference.second)}"


def _fallen(summary: FrontSummary) -> str:
    lost = [escape(trial.id) for trial in fallen(summary)]
    if not lost:
        return "All members of the search's front are still on it."
    return f"Off the front by the confirmed means: {', '.join(lost)}."


def _optimism(members: Sequence[Trial], info: RunInfo) -> str:
    """How much lower the search's errors were, on average."""
    known = [trial.val_mae - trial.error for trial in members if _errors(trial)]
    mean = fmean(known)
    side = "lower" if mean < 0 else "higher"
    return f"The search's errors were {mae(abs(mean), info)} {side} than the confirmed ones, on average."


def _table(
    members: Sequence[Trial], against: Mapping[str, Difference], summary: FrontSummary, info: RunInfo
) -> str:
    titles = (
        "rank",
        "member",
        f"val MAE, {info.unit}: mean, 95 % interval",
        "each seed",
        f"test MAE, {info.unit}: mean, 95 % interval",
        "search's val MAE, minus the mean",
        "parameters",
        "difference, interval",
        "in words",
    )
    heads = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    rows = "".join(
        _row(rank, trial, against.get(trial.id), summary, info) for rank, trial in enumerate(members, 1)
    )
    return scrolling(
        "Members of the front by confirmed mean",
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>",
    )


def _row(rank: int, trial: Trial, difference: Difference | None, summary: FrontSummary, info: RunInfo) -> str:
    assert trial.confirmed is not None
    unit, errors, tests = info.unit, _errors(trial), list(trial.confirmed.tests.values())
    each = "<br>".join(f"{seed}: {formatting.error(e, unit)}" for seed, e in trial.confirmed.errors.items())
    lost = len(trial.confirmed.trainings) - len(errors)
    without = f"<small>{lost} without a result</small>" if lost else ""
    minus = f"<small>{formatting.signed(trial.val_mae - trial.error, unit)}</small>" if errors else ""
    cells = (
        interval(errors, unit),
        f"{each}{without}",
        interval(tests, unit),
        f"{formatting.error(trial.val_mae, unit)}{minus}",
        formatting.quantity(trial.params),
        _interval(difference.interval, unit, signed=True) if difference else formatting.MISSING,
    )
    number = str(rank) if errors else formatting.MISSING
    return (
        f'<tr><th scope="row">{number}</th><td class="text">{escape(trial.id)}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + f'<td class="text">{_verdict(trial, difference, summary, info)}</td></tr>'
    )


def _verdict(trial: Trial, difference: Difference | None, summary: FrontSummary, info: RunInfo) -> str:
    if not _errors(trial):
        return "off the front: none of its trainings finished"
    place = "on the front"
    if not trial.on_front:
        by = escape(dominator(trial, summary, info))
        place = f"off the front: {by} is nowhere worse and somewhere better"
    if difference is None:
        return place
    words = ("lower" if difference.interval.mean < 0 else "higher") + " error than"
    words = words if difference.seen else f"{NO_DIFFERENCE} to"
    unpaired = f" ({count(difference.unpaired, 'seed')} unpaired, left out)" if difference.unpaired else ""
    return f"{place}; {words} {escape(difference.first)}{unpaired}"


def dominator(trial: Trial, summary: FrontSummary, info: RunInfo) -> str:
    """The id of a member of the front that is as good as the trial in every objective."""
    losses = objectives(trial, info)
    for member in summary.front:
        if all(a <= b for a, b in zip(objectives(member, info), losses, strict=True)):
            return member.id
    raise ValueError(f"no member of the front dominates {trial.id}")


def interval(values: Sequence[float], unit: str) -> str:
    """A mean with its 95 % interval over seeds; a dash without a value."""
    return _interval(mean_interval(values), unit) if values else formatting.MISSING


def _interval(found: Interval, unit: str, *, signed: bool = False) -> str:
    number = formatting.signed if signed else formatting.error
    ends = "one seed, no interval"
    if math.isfinite(found.low):
        ends = f"{number(found.low, unit)} to {number(found.high, unit)}"
    return f'{number(found.mean, unit)} <small class="ends">{ends}</small>'


def _errors(trial: Trial) -> list[float]:
    return list(trial.confirmed.errors.values()) if trial.confirmed else []
