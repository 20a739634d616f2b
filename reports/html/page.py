"""The report of one run: a single HTML file that opens offline and asks the network for nothing."""

import errno
import json
import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from reports.figures import curve_chart, learning_curves, points_chart, ranking_limit
from reports.figures.static import curves_picture, front_picture, growth_picture
from reports.html import answer, claims_table, request, search_section, sections
from reports.html import trial_table as tables
from reports.html.comparison_section import comparison_section, seeds_note
from reports.html.confirmed_section import confirmed_section
from reports.html.content_security_policy import policy, style_places
from reports.html.published_comparison.attractiveness import attractiveness_table
from reports.html.published_comparison.trials import networks_of_trials
from reports.html.ranking_section import is_concerned, ranking_section
from reports.model import points, trial_columns
from reports.model.growth import Growth, growth
from reports.model.page_data import networks, page_data
from reports.model.trials import FrontSummary, summarise
from suite.files.atomic import write_atomically
from suite.runs.tables import Run

_HERE = Path(__file__).parent
#: In the order in which they need each other; the last starts what needs plotly.
SCRIPTS = (
    "formatting",
    "dom",
    "state",
    "figures",
    "answer",
    "front",
    "network",
    "parallel",
    "table",
    "start",
)
#: What the answer and the front are drawn from. All other data is read after they are there.
FIRST = ("run", "runs", "trials", "axes", "notable", "networks", "published", "growth")


def write_report(
    run: Run, path: Path, importance: Mapping[str, float] | None = None, place: str | None = None
) -> None:
    """Write the report of a run, finished or not, to ``path``; it appears there whole or not at all.

    The arguments are those of ``page``.

    Raises:
        OSError: ``path`` is a folder, or its folder is missing or cannot be written to.
    """
    write_page(page(run, importance, place), path)


def write_page(html: str, path: Path) -> None:
    """Write a page to ``path``, whole or not at all.

    Raises:
        OSError: as ``write_report``.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    write_atomically(path, html)


def page(
    run: Run,
    importance: Mapping[str, float] | None = None,
    place: str | None = None,
    refresh: float = 0.0,
) -> str:
    """The HTML of a run's report, with plotly.js, style and data inside it (about 5 MB).

    Args:
        run: finished or not.
        importance: the share of each dimension (0..1) in the error, by the name that the sampler has for it
            (``suite.search.study.importance``); None or empty where it was not worked out.
        place: the run's folder or URL, for the commands that the page shows; None: ``run.folder``.
        refresh: seconds after which the page looks for a newer one in its place; 0: never.
    """
    info, summary, share = run.info, summarise(run), importance or {}
    columns = trial_columns.columns(info, summary, points.labels(run))
    grown = growth(info, summary)
    data = page_data(run, summary, columns, share, grown, place or str(run.folder))
    parts = {
        "banner": sections.banner(info, summary),
        "follow": sections.follow(refresh),
        "form": answer.form(info),
        "answer": answer.lead(info, summary),
        "seeds": seeds_note(info),
        "tiles": answer.tiles(info, summary),
        "axes": sections.axes(data["axes"]),
        "legend": sections.legend(summary),
        "front_picture": front_picture(info, summary),
        "asked": request.asked(info, summary),
        "comparison": comparison_section(run, _points_chart(run)) + _ranking(run),
        "chart_note": sections.chart_note(info, summary),
        "growth": _growth(grown),
        "confirmed": confirmed_section(info, summary),
        "importance": search_section.importance_table(summary, share, len(data["dimensions"])),
        "stopping": search_section.stopping(summary),
        "curves": _curves(run, summary),
        "failures": search_section.failures(summary),
        "trials": tables.trial_table(columns, networks(summary)),
        "main_claims": claims_table.main_claims(info, summary),
        "claims": claims_table.all_claims(info, summary) + _networks(run, summary),
        "provenance": sections.provenance(info),
    }
    return filled("page.html", info.name, parts, data, SCRIPTS)


def filled(
    template: str, title: str, parts: Mapping[str, str], data: Mapping[str, Any], scripts: tuple[str, ...]
) -> str:
    """A template in the frame of all reports: with its parts, data, style and scripts, and the policy that
    lets no others in.

    What a reader sees first comes first: the markup, the answer, plotly.js, the front, and only then the
    data that nothing of these needs.

    Args:
        template: of what is inside the frame.
        title: text.
        parts: HTML, by their names in the template.
        data: what the scripts draw from; all but ``FIRST`` lies behind them.
        scripts: the last one runs after plotly.js, the others before it.
    """
    before, plotly, start = _script("style_attributes"), get_plotlyjs(), _script(scripts[-1])
    script, style = "".join(map(_script, scripts[:-1])), _read("page.css")
    return Template(_read("frame.html")).substitute(
        content=Template(_read(template)).substitute(parts, title=escape(title)),
        title=escape(title),
        policy=policy([before, script, plotly, start], [style]),
        style=style,
        style_places=style_places(plotly),
        data=_json({name: part for name, part in data.items() if name in FIRST}),
        later=_json({name: part for name, part in data.items() if name not in FIRST}),
        before=before,
        script=script,
        plotly=plotly,
        start=start,
    )


def _points_chart(run: Run) -> str:
    comparison = points.compare(run)
    if comparison is None or not any(point.errors for point in comparison.points):
        return ""
    curve = curve_chart.collect(comparison, run.info)
    if curve is not None:
        return figure_markup(curve_chart.draw(curve), f"Mean validation MAE over {curve.field}")
    chart = points_chart.collect(comparison, run.info)
    drawn = figure_markup(
        points_chart.draw(chart), "Mean validation MAE of each point over its seeds, with its interval"
    )
    rest = (
        f'<p class="soft">The chart has the {len(chart.labels)} points of lowest mean; the table has all.</p>'
    )
    return drawn + rest * bool(chart.left_out)


def _ranking(run: Run) -> str:
    if not is_concerned(points.compare(run)):
        return ""
    figure = ranking_limit.draw(ranking_limit.collect())
    return ranking_section(figure_markup(figure, "1 - CDF of label distributions, and Ranking's targets"))


def _networks(run: Run, summary: FrontSummary) -> str:
    """The paper's networks beside the trials; a comparison over seeds has them in its own section."""
    return networks_of_trials(run.info, summary) + attractiveness_table(run, summary)


def _growth(grown: Growth | None) -> str:
    if grown is None or len(grown.ended) < 2:
        return ""
    label = "Hypervolume of the front after so many trials"
    return (
        "<h3>The front as the search went on</h3><p>Hypervolume of the front by the search's own errors, "
        "as a share of the box below the reference point.</p>"
        f'<figure class="chart" id="growth-chart" role="img" aria-label="{label}"></figure>'
        f"<noscript>{growth_picture(grown)}</noscript>"
    )


def _curves(run: Run, summary: FrontSummary) -> str:
    if not len(run.epochs):
        return "<p>No epoch has ended.</p>"
    curves = learning_curves.collect(run, summary)
    left_out = (
        f'<p class="soft">{curves.left_out:,} further curves are not drawn; a trial\'s own is under '
        '"One network".</p>'
        if curves.left_out
        else ""
    )
    figure = figure_markup(learning_curves.draw(curves), "Validation MAE against epoch")
    return f"{figure}<noscript>{curves_picture(curves)}</noscript>{left_out}"


def figure_markup(figure: go.Figure, label: str) -> str:
    """A place for a figure, and its data as JSON that no string inside can end early."""
    data = _closed(str(figure.to_json()))
    height = int(figure.layout.height)
    return (
        f'<figure class="chart" role="img" aria-label="{escape(label)}" data-height="{height}">'
        f'<script type="application/json">{data}</script></figure>'
    )


def _json(data: Mapping[str, Any]) -> str:
    return _closed(json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=False))


def _closed(json_text: str) -> str:
    """The same JSON without a "<" that could end its script."""
    return json_text.replace("<", "\\u003c")


def _script(name: str) -> str:
    return _read(f"script/{name}.js")


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
