"""The report of one run: a single HTML file that opens offline and asks the network for nothing."""

import errno
import os
from html import escape
from pathlib import Path
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from reports import points, request, sections, tables
from reports.beside.attractiveness import attractiveness_table
from reports.beside.trials import networks_of_trials
from reports.comparison_section import comparison_section, seeds_note
from reports.confirmed_section import confirmed_section
from reports.figures import curve_chart, front_chart, learning_curves, panels, points_chart, ranking_limit
from reports.ranking_section import is_concerned, ranking_section
from reports.trials import Standing, standing
from suite.runs import Run, RunInfo

_HERE = Path(__file__).parent


def write_report(run: Run, path: Path) -> None:
    """Write the report of a run, finished or not, to ``path``; it appears there whole or not at all.

    Raises:
        OSError: ``path`` is a folder, or its folder is missing or cannot be written to.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    partial = path.with_name(path.name + ".partial")
    partial.write_text(page(run), encoding="utf-8")
    os.replace(partial, path)


def page(run: Run) -> str:
    """The HTML of a run's report, with plotly.js, style and data inside it (about 4.9 MB)."""
    info, results = run.info, standing(run)
    return Template(_read("page.html")).substitute(
        title=escape(info.name),
        style=_read("page.css"),
        banner=sections.banner(info, results),
        answer=sections.answer(info, results) + seeds_note(info),
        asked=request.asked(info, results),
        comparison=comparison_section(run, _points_chart(run)) + _ranking(run),
        chart_note=sections.chart_note(info, results) + seeds_note(info),
        charts=_front_charts(info, results),
        confirmed=confirmed_section(info, results),
        trials=tables.trial_table(info, results, points.labels(run)),
        claims=tables.claims_table(info, results) + _networks(run, results),
        curves=_curves(run, results),
        failures=sections.failures(results),
        provenance=sections.provenance(info),
        plotly=get_plotlyjs(),
        script=_read("page.js"),
    )


def _front_charts(info: RunInfo, results: Standing) -> str:
    return "".join(
        figure_markup(
            front_chart.draw(front_chart.collect(results, info, panel)),
            "Validation MAE against " + panel.title.replace("\n", " "),
        )
        for panel in panels.panels(info, results)
    )


def _points_chart(run: Run) -> str:
    comparison = points.compare(run)
    if comparison is None or not any(point.errors for point in comparison.points):
        return ""
    curve = curve_chart.collect(comparison, run.info)
    if curve is not None:
        return figure_markup(curve_chart.draw(curve), f"Mean validation MAE over {curve.field}")
    figure = points_chart.draw(points_chart.collect(comparison, run.info))
    return figure_markup(figure, "Mean validation MAE of each point over its seeds, with its interval")


def _ranking(run: Run) -> str:
    if not is_concerned(points.compare(run)):
        return ""
    figure = ranking_limit.draw(ranking_limit.collect())
    return ranking_section(figure_markup(figure, "1 - CDF of label distributions, and Ranking's targets"))


def _networks(run: Run, results: Standing) -> str:
    """The paper's networks beside the trials; a comparison over seeds has them in its own section."""
    return networks_of_trials(run.info, results) + attractiveness_table(run, results)


def _curves(run: Run, results: Standing) -> str:
    if not len(run.epochs):
        return "<p>No epoch has ended.</p>"
    figure = learning_curves.draw(learning_curves.collect(run, results))
    return figure_markup(figure, "Validation MAE against epoch")


def figure_markup(figure: go.Figure, label: str) -> str:
    """A place for a figure, and its data as JSON that no string inside can end early."""
    data = str(figure.to_json()).replace("<", "\\u003c")
    height = int(figure.layout.height)
    return (
        f'<figure class="chart" role="img" aria-label="{escape(label)}" style="min-height:{height}px">'
        f'<script type="application/json">{data}</script></figure>'
    )


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
