"""The paper's networks beside a run that trained each point once: published and measured, as HTML."""

from collections.abc import Sequence
from html import escape

from reports import formatting
from reports.html.markup import count
from reports.html.published_comparison.networks import network_row, networks_table
from reports.model.points import seeds_of
from reports.model.trials import NAMES, FrontSummary, Trial
from suite.runs.info import RunInfo

#: So many trials of one network are listed; of more, only their span is given.
LISTED = 3


def networks_of_trials(info: RunInfo, summary: FrontSummary) -> str:
    """Published MAE beside ours, for age; empty without a network of the paper, or with several seeds."""
    if info.attribute != "age" or seeds_of(info) > 1:
        return ""
    members: dict[str, list[Trial]] = {}
    for trial in sorted(summary.trials, key=lambda trial: trial.id):
        if trial.finished and (name := papers_name(trial)):
            members.setdefault(name, []).append(trial)
    if not members.keys() & {"ThinAgeNet", "TinyAgeNet"}:
        return ""
    rows = "".join(
        network_row(name, trials[0].params, trials[0].macs_at_224, _here(trials, info), info)
        for name, trials in sorted(members.items())
    )
    return networks_table(rows, NAMES["vgg16-bn"] in members, info)


def papers_name(trial: Trial) -> str:
    """The network's name where it is one of the paper's; else empty."""
    if trial.is_thin or trial.is_tiny:
        return "ThinAgeNet" if trial.is_thin else "TinyAgeNet"
    return NAMES.get(trial.network, "")


def seeds_behind(trial: Trial) -> str:
    """How many seeds its error is of."""
    again = len(trial.confirmed.errors) if trial.confirmed else 0
    return f"mean of {count(again, 'new seed')}" if again else "one seed"


def _here(trials: Sequence[Trial], info: RunInfo) -> str:
    """The validation errors, as HTML; a trial's id is shown with its error."""
    errors = [trial.val_mae for trial in trials]
    if len(trials) > LISTED:
        ends = " to ".join(formatting.error(error, info.unit) for error in (min(errors), max(errors)))
        return f"{ends}<small>{count(len(trials), 'trial')}, one seed each</small>"
    return "".join(
        f"{formatting.error(trial.error, info.unit)}<small>{escape(trial.id)}, {seeds_behind(trial)}</small>"
        for trial in trials
    )
