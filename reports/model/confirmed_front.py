"""The members of the search's front by their confirmed means, and what dominates those that fell off it."""

from reports.model.trials import FrontSummary, Trial, objectives
from suite.runs.info import RunInfo


def ranked(summary: FrontSummary) -> tuple[Trial, ...]:
    """Return the members of the search's front by ascending confirmed mean, those without one last."""
    by_id = {trial.id: trial for trial in summary.trials}
    members = [by_id[trial.id] for trial in summary.searched_front]
    return tuple(sorted(members, key=lambda t: (not _has_errors(t), t.error, t.params)))


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
