"""The report of several runs: their fronts over each other, and what is in more than one of them."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from reports import formatting
from reports.figures.static import front_picture
from reports.html import sections
from reports.html.markup import count, scrolling
from reports.html.page import filled
from reports.model.cells import rows_of
from reports.model.page_data import axes, intervals, short
from reports.model.trials import FrontSummary, Trial, objectives, summarise
from suite.errors import RequestError
from suite.runs.tables import Run, config_of
from suite.statistics.pareto import hypervolume

#: The scripts of the page, in the order in which they need each other; the last one draws.
SCRIPTS = ("formatting", "dom", "figures", "fronts")
#: Fields that do not make a configuration another one.
NOT_COMPARED = ("seed", "backbone")


@dataclass(frozen=True)
class Member:
    """One of the runs, under a name that tells it from the others."""

    name: str
    run: Run
    summary: FrontSummary


@dataclass(frozen=True)
class Common:
    """A configuration, whatever its seed, that more than one run trained to the end."""

    design: str
    trials: Mapping[str, tuple[Trial, ...]]  # by the run's name


def page_of_runs(runs: Sequence[Run]) -> str:
    """The HTML of the report of at least two runs.

    Raises:
        RequestError: errors in years and in points are in no chart together.
    """
    units = {run.info.unit for run in runs}
    if len(units) > 1:
        raise RequestError(
            "some of these runs have errors in years and some in points, which do not compare; name runs of "
            "one attribute"
        )
    members = _named(runs)
    parts = {
        "cautions": _cautions(members),
        "runs": _runs_table(members),
        "axes": sections.axes(axes(members[0].run.info, members[0].summary)[:3]),
        "pictures": "".join(
            f"<h3>{escape(member.name)}</h3>{front_picture(member.run.info, member.summary)}"
            for member in members
        ),
        "volumes": _volumes(members),
        "common": _common_table(common(members), members),
    }
    title = " beside ".join(member.name for member in members)
    return filled("page_of_runs.html", title, parts, _data(members), SCRIPTS)


def _named(runs: Sequence[Run]) -> list[Member]:
    names = [run.info.name for run in runs]
    unique = names if len(set(names)) == len(names) else [
        f"{name} ({place})" for place, name in enumerate(names, 1)
    ]  # fmt: skip
    return [Member(name, run, summarise(run)) for name, run in zip(unique, runs, strict=True)]


def differences_that_matter(members: Sequence[Member]) -> list[str]:
    """What makes the errors, or the sizes, of these runs not quite comparable; sentences, not escaped."""
    infos = [member.run.info for member in members]
    found = []
    if len({info.data.fingerprint for info in infos}) > 1:
        found.append(
            "The runs used different data: their errors do not compare, and a hypervolume of one says "
            "nothing of the other."
        )
    if len({member.summary.resolutions for member in members}) > 1:
        found.append("The trials' resolutions differ: multiply-adds and errors are at each trial's own.")
    if len({info.data.train_images for info in infos}) > 1:
        found.append("The runs trained on different numbers of images.")
    if len({epochs for member in members for epochs in (_epochs(member.summary),)}) > 1:
        found.append("The runs trained for different numbers of epochs.")
    if len({member.summary.is_confirmed for member in members}) > 1:
        found.append(
            "One front was confirmed with new seeds, another was not and is likely to look better than it is."
        )
    return found


def _epochs(summary: FrontSummary) -> tuple[int, ...]:
    return tuple(sorted({trial.recipe.epochs for trial in summary.trials}))


def _cautions(members: Sequence[Member]) -> str:
    return "".join(f'<p class="banner">{escape(text)}</p>' for text in differences_that_matter(members))


def _table(label: str, titles: Sequence[str], rows: str) -> str:
    heads = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    return scrolling(
        label, f"<table class=figures><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _runs_table(members: Sequence[Member]) -> str:
    rows = "".join(_run_row(member) for member in members)
    titles = (
        "run",
        "data",
        "trials",
        "finished",
        "front",
        "lowest MAE",
        "its parameters",
        "wall time",
        "status",
    )
    return _table("The runs", titles, rows)


def _run_row(member: Member) -> str:
    info, summary = member.run.info, member.summary
    best = summary.best
    cells = (
        f"{len(summary.trials):,}",
        f"{summary.count('finished'):,}",
        str(len(summary.front)),
        f"{formatting.error(best.error, info.unit)}\u00a0{info.unit}" if best else formatting.MISSING,
        formatting.quantity(best.params) if best else formatting.MISSING,
        formatting.duration(info.seconds),
        escape(info.status),
    )
    return (
        f'<tr><th scope="row">{escape(member.name)}</th><td>{escape(info.data.name)}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def shares(members: Sequence[Member]) -> dict[str, float]:
    """Each front's hypervolume as a share of one box: from zero to just beyond the worst of all the fronts.

    Over the objectives of the first run. Empty where a run has no front, or lacks one of the objectives.
    """
    info = members[0].run.info
    losses = {
        member.name: np.array([objectives(trial, info) for trial in member.summary.front])
        for member in members
    }
    if any(not len(found) or not np.isfinite(found).all() for found in losses.values()):
        return {}
    corner = 1.01 * np.vstack(list(losses.values())).max(axis=0)
    box = float(np.prod(corner))
    return {name: hypervolume(found, corner) / box for name, found in losses.items()}


def _volumes(members: Sequence[Member]) -> str:
    found = shares(members)
    if not found or len({member.run.info.data.fingerprint for member in members}) > 1:
        return "<p>Not compared: a run has no front yet, or the runs used different data.</p>"
    first = members[0].name
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{share:.4f}</td>'
        f"<td>{formatting.MISSING if name == first else _difference(share - found[first])}</td></tr>"
        for name, share in found.items()
    )
    over = ", ".join("validation MAE" if o == "val_mae" else o for o in members[0].run.info.objectives)
    return (
        f"<p>Share of one box for all, over {escape(over)}: from zero to 1 % beyond the worst that any of "
        "these fronts has in each. Larger is better. It is a number of this comparison alone.</p>"
        + _table("Hypervolume of the fronts", ("run", "hypervolume", f"more than {first}"), rows)
    )


def _difference(value: float) -> str:
    rounded = round(value, 4) + 0.0
    return f"{rounded:+.4f}" if rounded else "0.0000"


def common(members: Sequence[Member]) -> list[Common]:
    """The configurations that more than one run trained to the end, by their lowest error."""
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


#: So many configurations have a row.
MOST_COMMON = 60


def _common_table(found: Sequence[Common], members: Sequence[Member]) -> str:
    if not found:
        return "<p>None: no configuration, seeds apart, was trained to its end in more than one run.</p>"
    unit = members[0].run.info.unit
    rows = "".join(
        f'<tr><th scope="row">{escape(one.design)}</th><td>{formatting.quantity(_params(one))}</td>'
        + "".join(f"<td>{_errors(one.trials.get(member.name, ()), unit)}</td>" for member in members)
        + "</tr>"
        for one in found[:MOST_COMMON]
    )
    titles = ("network", "parameters", *(f"{member.name}: MAE, {unit}" for member in members))
    more = f" The {MOST_COMMON} of lowest error are shown." if len(found) > MOST_COMMON else ""
    return (
        f"<p>{count(len(found), 'configuration')}, the same in every field but the seed; networks that "
        f"differ in their recipe alone have a row each.{more}</p>"
        + _table("Configurations in both", titles, rows)
    )


def _params(one: Common) -> float:
    return next(iter(one.trials.values()))[0].params


def _errors(trials: Sequence[Trial], unit: str) -> str:
    if not trials:
        return formatting.MISSING
    told = ", ".join(f"{formatting.error(trial.error, unit)} ({escape(trial.id)})" for trial in trials[:4])
    return told + (f" and {len(trials) - 4} more" if len(trials) > 4 else "")


def _data(members: Sequence[Member]) -> dict[str, Any]:
    info = members[0].run.info
    return {
        "run": {"unit": info.unit, "places": formatting.error_places(info.unit)},
        "axes": axes(info, members[0].summary)[:3],
        "runs": [{"name": member.name, "trials": _trials(member.summary)} for member in members],
    }


def _trials(summary: FrontSummary) -> dict[str, list[Any]]:
    shown = [trial for trial in summary.trials if trial.finished]
    return {
        "id": [trial.id for trial in shown],
        "front": [int(trial.on_front) for trial in shown],
        "error": [short(trial.error) for trial in shown],
        "interval": [intervals(trial) for trial in shown],
        **{
            name: [int(v) if math.isfinite(v := getattr(trial, name)) else None for trial in shown]
            for name in ("params", "macs", "bytes")
        },
    }
