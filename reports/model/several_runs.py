"""Several runs in comparison: cautions, hypervolumes and shared configurations."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.model.cells import rows_of
from reports.model.hypervolume import common_box
from reports.model.training_length import training_length
from reports.model.trials import FrontSummary, Trial, objectives, summarise
from suite.runs.tables import Run, config_of


@dataclass(frozen=True)
class Member:
    """One of the runs, under a unique name."""

    name: str
    run: Run
    summary: FrontSummary


@dataclass(frozen=True)
class Common:
    """A configuration, apart from its seed, that more than one run finished."""

    design: str
    trials: Mapping[str, tuple[Trial, ...]]  # by the run's name


def named_members(runs: Sequence[Run]) -> list[Member]:
    """Summarise each run under its name; runs of one name are numbered."""
    names = [run.info.name for run in runs]
    if len(set(names)) < len(names):
        names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
    return [Member(name, run, summarise(run)) for name, run in zip(names, runs, strict=True)]


def comparison_cautions(members: Sequence[Member]) -> list[str]:
    """Return sentences on what limits the comparison of these runs."""
    infos = [member.run.info for member in members]
    found = []
    if len({info.data.fingerprint for info in infos}) > 1:
        found.append(
            "The runs used different data, so that neither their errors nor their hypervolumes "
            "can be compared."
        )
    if len({member.summary.resolutions for member in members}) > 1:
        found.append("The trials' resolutions differ: multiply-adds and errors are at each trial's own.")
    if len({info.data.train_images for info in infos}) > 1:
        found.append("The runs trained on different numbers of images.")
    if len({epochs for member in members for epochs in (_epochs(member.summary),)}) > 1:
        found.append("The runs trained for different numbers of epochs.")
    lengths = {training_length(member.summary).confirmed for member in members}
    if len(lengths) > 1 and "" not in lengths:
        found.append("The runs confirmed their fronts with trainings of different numbers of epochs.")
    if len({member.summary.is_confirmed for member in members}) > 1:
        found.append(
            "One front was confirmed with new seeds, another was not and is likely to look better than it is."
        )
    if not any(member.summary.is_confirmed for member in members):
        found.append("No network is confirmed: all errors are of single trainings, and name none to ship.")
    return found


def _epochs(summary: FrontSummary) -> tuple[int, ...]:
    return tuple(sorted({trial.recipe.epochs for trial in summary.trials}))


def hypervolume_shares(members: Sequence[Member]) -> dict[str, float]:
    """Return each front's hypervolume as a share of one box (``common_box``).

    Over the objectives of the first run. Empty where a run has no front, or lacks one of the objectives.
    """
    info = members[0].run.info
    losses = {
        member.name: np.array([objectives(trial, info) for trial in member.summary.front])
        for member in members
    }
    if any(not len(found) or not np.isfinite(found).all() for found in losses.values()):
        return {}
    box = common_box([m.run.info for m in members], [m.summary.front for m in members])
    return {} if box is None else {name: box.share(found) for name, found in losses.items()}


def common_configurations(members: Sequence[Member]) -> list[Common]:
    """Return the configurations that more than one run finished, by their lowest error."""
    found: dict[str, dict[str, list[Trial]]] = {}
    for member in members:
        by_id = {trial.id: trial for trial in member.summary.trials if trial.finished}
        for row in rows_of(member.run, "search"):
            if (trial := by_id.get(str(row["id"]))) is not None:
                config = dataclasses.replace(config_of(row), seed=0, backbone=None)
                found.setdefault(repr(config), {}).setdefault(member.name, []).append(trial)
    shared = [
        Common(", ".join(next(iter(by_run.values()))[0].design), {n: tuple(ts) for n, ts in by_run.items()})
        for by_run in found.values()
        if len(by_run) > 1
    ]
    return sorted(shared, key=lambda one: min(t.error for ts in one.trials.values() for t in ts))
