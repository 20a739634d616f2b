"""The members of the search's front by their confirmed means, and what each is compared with."""

from itertools import pairwise

from reports.model.confirmation import Confirmed, differences
from reports.model.trials import FrontSummary, Trial, objectives
from suite.runs.info import RunInfo
from suite.statistics.paired import Difference


def ranked(summary: FrontSummary) -> tuple[Trial, ...]:
    """Return the members of the search's front by ascending confirmed mean, those without one last."""
    by_id = {trial.id: trial for trial in summary.trials}
    members = [by_id[trial.id] for trial in summary.searched_front]
    return tuple(sorted(members, key=lambda t: (not _has_errors(t), t.error, t.params)))


def compared(summary: FrontSummary, info: RunInfo) -> dict[str, Difference]:
    """Return each member's paired difference in validation MAE, by its id.

    A member on the front is compared with the one ranked before it, a member off the front with one that
    dominates it.
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
    """Return the members of the search's front that are off it by their confirmed means, by rank."""
    return tuple(trial for trial in ranked(summary) if not trial.on_front)


def dominator(trial: Trial, summary: FrontSummary, info: RunInfo) -> str:
    """Return the id of a member of the front that is as good as the trial in every objective."""
    losses = objectives(trial, info)
    for member in summary.front:
        if all(a <= b for a, b in zip(objectives(member, info), losses, strict=True)):
            return member.id
    raise ValueError(f"no member of the front dominates {trial.id}")


def _has_errors(trial: Trial) -> bool:
    return bool(trial.confirmed and trial.confirmed.errors)
