"""The paper's networks in a run that trained each point once: published and measured."""

from collections.abc import Sequence

from markupsafe import Markup

from reports import formatting
from reports.html.published_comparison.entry import Entry
from reports.html.published_comparison.networks import network_row, networks_table
from reports.model.points import seeds_of
from reports.model.trials import NAMES, FrontSummary, Trial
from suite.runs.info import RunInfo

#: At most this many trials of one network are listed; for more, only their range is given.
LISTED = 3


def networks_of_trials(info: RunInfo, summary: FrontSummary) -> Markup:
    """Render published and measured MAE for age; empty without a network of the paper, or with several seeds."""
    if info.attribute != "age" or seeds_of(info) > 1:
        return Markup("")
    members: dict[str, list[Trial]] = {}
    for trial in sorted(summary.trials, key=lambda trial: trial.id):
        if trial.finished and (name := papers_name(trial)):
            members.setdefault(name, []).append(trial)
    if not members.keys() & {"ThinAgeNet", "TinyAgeNet"}:
        return Markup("")
    rows = [
        network_row(name, trials[0].params, trials[0].macs_at_224, _here(trials, info), info)
        for name, trials in sorted(members.items())
    ]
    return networks_table(rows, info, normalised=NAMES["vgg16-bn"] in members)


def papers_name(trial: Trial) -> str:
    """Return the network's name if it is one of the paper's, else an empty text."""
    if trial.is_thin or trial.is_tiny:
        return "ThinAgeNet" if trial.is_thin else "TinyAgeNet"
    return NAMES.get(trial.network, "")


def seeds_behind(trial: Trial) -> str:
    """Describe how many seeds a trial's error is a mean of."""
    again = len(trial.confirmed.errors) if trial.confirmed else 0
    return f"mean of {formatting.count(again, 'new seed')}" if again else "one seed"


def _here(trials: Sequence[Trial], info: RunInfo) -> list[Entry]:
    """Return the validation errors with their trials' ids; for many trials, their range."""
    errors = [trial.val_mae for trial in trials]
    if len(trials) > LISTED:
        ends = " to ".join(formatting.error(error, info.unit) for error in (min(errors), max(errors)))
        return [Entry(ends, (f"{formatting.count(len(trials), 'trial')}, one seed each",))]
    return [
        Entry(formatting.error(trial.error, info.unit), (f"{trial.id}, {seeds_behind(trial)}",))
        for trial in trials
    ]
