"""The confirmed trials by their means: who left the search's front, who came onto it, and what dominates whom."""

from reports.model.trials import FrontSummary, Trial, objectives
from suite.runs.info import RunInfo


def ranked(summary: FrontSummary) -> tuple[Trial, ...]:
    """Return the trials that the run confirms by ascending confirmed mean, those without one last."""
    return tuple(sorted(summary.selected, key=lambda t: (not _has_errors(t), t.error, t.params)))


def fallen(summary: FrontSummary) -> tuple[Trial, ...]:
    """Return the members of the search's front that are off it by their confirmed means, by rank."""
    searched = {trial.id for trial in summary.searched_front}
    return tuple(trial for trial in ranked(summary) if trial.id in searched and not trial.on_front)


def risen(summary: FrontSummary) -> tuple[Trial, ...]:
    """Return the trials that are on the front by their confirmed means and were not on the search's, by rank."""
    searched = {trial.id for trial in summary.searched_front}
    return tuple(trial for trial in ranked(summary) if trial.on_front and trial.id not in searched)


def beside(summary: FrontSummary) -> tuple[Trial, ...]:
    """Return the confirmed trials that were not on the search's front, by rank."""
    searched = {trial.id for trial in summary.searched_front}
    return tuple(trial for trial in ranked(summary) if trial.id not in searched)


def dominator(trial: Trial, summary: FrontSummary, info: RunInfo) -> str:
    """Return the id of a member of the front that is as good as the trial in every objective."""
    losses = objectives(trial, info)
    for member in summary.front:
        if all(a <= b for a, b in zip(objectives(member, info), losses, strict=True)):
            return member.id
    raise ValueError(f"no member of the front dominates {trial.id}")


def _has_errors(trial: Trial) -> bool:
    return bool(trial.confirmed and trial.confirmed.errors)
