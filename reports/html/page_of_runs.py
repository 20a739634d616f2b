"""The report of several runs: their fronts in one chart, and the configurations that they share."""

import math
import shlex
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from reports import formatting
from reports.figures.static import front_picture
from reports.html.frame import framed_page
from reports.html.front_section import axes as axes_switch
from reports.html.templating import render
from reports.model.page_data import axes, intervals, unbeaten_rows
from reports.model.portable import portable
from reports.model.rounding import rounded
from reports.model.several_runs import (
    Common,
    Member,
    common_configurations,
    comparison_cautions,
    hypervolume_shares,
    named_members,
)
from reports.model.training_length import is_confirmed
from reports.model.trials import Trial
from suite.errors import RequestError
from suite.runs.tables import Run

#: In order of dependence. The last one runs after plotly.js.
SCRIPTS = ("formatting", "dom", "figures", "fronts")
#: At most this many shared configurations have a row.
MOST_COMMON = 60


def page_of_runs(runs: Sequence[Run], *, full_provenance: bool = False) -> str:
    """Return the HTML of the report of at least two runs.

    Args:
        runs: The runs.
        full_provenance: Show the folder and the command line of each run, for oneself.

    Raises:
        RequestError: Some runs have errors in years and some in points.
    """
    units = {run.info.unit for run in runs}
    if len(units) > 1:
        raise RequestError(
            "some of these runs have errors in years and some in points, which do not compare; name runs of "
            "one attribute"
        )
    members = named_members(runs if full_provenance else [portable(run) for run in runs])
    first = members[0].run.info
    found = common_configurations(members)
    parts = {
        "cautions": comparison_cautions(members),
        "runs": _runs_table(members, full_provenance=full_provenance),
        "axes": axes_switch(axes(first, members[0].summary)[:3]),
        "pictures": [(m.name, front_picture(m.run.info, m.summary)) for m in members],
        "objectives": ", ".join(map(formatting.objective, first.objectives)),
        "hypervolumes": _hypervolumes(members),
        "common": _common_table(found[:MOST_COMMON], members),
        "common_count": len(found),
        "most_common": MOST_COMMON,
    }
    title = " beside ".join(member.name for member in members)
    return framed_page("page_of_runs", title, parts, _data(members), SCRIPTS)


def _table(label: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    return render("runs_table", label=label, titles=titles, rows=rows)


def _runs_table(members: Sequence[Member], *, full_provenance: bool) -> Markup:
    titles: tuple[str, ...] = (
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
    rows = [_run_row(member) for member in members]
    if full_provenance:
        titles = (*titles, "folder", "command")
        rows = [(*row, *_origin(member.run)) for row, member in zip(rows, members, strict=True)]
    return _table("The runs", titles, rows)


def _origin(run: Run) -> tuple[str, str]:
    """Return where a run is, and the command that made it."""
    return str(run.folder), shlex.join(run.info.command)


def _run_row(member: Member) -> tuple[str, ...]:
    info, summary, best = member.run.info, member.summary, member.summary.best
    return (
        member.name,
        info.data.name,
        f"{len(summary.trials):,}",
        f"{summary.count('finished'):,}",
        str(len(summary.front)),
        formatting.error_with_unit(best.error, info.unit) if best else formatting.MISSING,
        formatting.quantity(best.params) if best else formatting.MISSING,
        formatting.duration(info.seconds),
        info.status,
    )


def _hypervolumes(members: Sequence[Member]) -> Markup:
    """Render one row per front; empty if the fronts cannot be compared."""
    found = hypervolume_shares(members)
    if not found or len({member.run.info.data.fingerprint for member in members}) > 1:
        return Markup("")
    first = members[0].name
    rows = [
        (name, f"{share:.4f}", formatting.MISSING if name == first else _difference(share - found[first]))
        for name, share in found.items()
    ]
    return _table("Hypervolume of the fronts", ("run", "hypervolume", f"more than {first}"), rows)


def _difference(value: float) -> str:
    rounded = round(value, 4) + 0.0
    return f"{rounded:+.4f}" if rounded else "0.0000"


def _common_table(found: Sequence[Common], members: Sequence[Member]) -> Markup:
    unit = members[0].run.info.unit
    rows = [
        (
            one.design,
            formatting.quantity(next(iter(one.trials.values()))[0].params),
            *(_errors(one.trials.get(member.name, ()), unit) for member in members),
        )
        for one in found
    ]
    titles = ("network", "parameters", *(f"{member.name}: MAE, {unit}" for member in members))
    return _table("Configurations in both", titles, rows)


def _errors(trials: Sequence[Trial], unit: str) -> str:
    if not trials:
        return formatting.MISSING
    shown = ", ".join(
        f"{formatting.error(trial.error, unit)} ({trial.id}{', confirmed' if is_confirmed(trial) else ''})"
        for trial in trials[:4]
    )
    return shown + (f" and {len(trials) - 4} more" if len(trials) > 4 else "")


def _data(members: Sequence[Member]) -> dict[str, Any]:
    info = members[0].run.info
    return {
        "run": {"unit": info.unit, "decimals": formatting.error_decimals(info.unit)},
        "axes": axes(info, members[0].summary)[:3],
        "runs": [_run_data(member) for member in members],
    }


def _run_data(member: Member) -> dict[str, Any]:
    shown = [trial for trial in member.summary.trials if trial.finished]
    return {
        "name": member.name,
        "trials": _trials(shown),
        "unbeaten": unbeaten_rows(member.summary, shown),
    }


def _trials(shown: Sequence[Trial]) -> dict[str, list[Any]]:
    return {
        "id": [trial.id for trial in shown],
        "front": [int(trial.on_front) for trial in shown],
        "error": [rounded(trial.error) for trial in shown],
        "interval": [intervals(trial) for trial in shown],
        **{
            name: [int(v) if math.isfinite(v := getattr(trial, name)) else None for trial in shown]
            for name in ("params", "macs", "bytes")
        },
    }
