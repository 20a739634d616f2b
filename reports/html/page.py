"""The report of one run: a single HTML file that opens offline and makes no network request."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from reports.figures import learning_curves
from reports.figures.static import curves_picture, front_picture
from reports.html import answer, claims_table, front_section, header, search_section
from reports.html.comparison_section import comparison_section, seeds_note
from reports.html.confirmed_section import confirmed_section
from reports.html.figure import figure_markup
from reports.html.frame import framed_page
from reports.html.growth_section import growth_section
from reports.html.provenance import provenance
from reports.html.published_comparison.attractiveness import attractiveness_table
from reports.html.published_comparison.trials import networks_of_trials
from reports.html.ranking_section import ranking_section
from reports.html.search_request import request_section
from reports.html.sharing_section import groups, sharing_section
from reports.html.templating import render
from reports.html.trial_table import trial_table
from reports.model import points, trial_columns
from reports.model.confirmation import other_confirmations
from reports.model.confirmation_agreement import agreement
from reports.model.growth import growth
from reports.model.page_data import networks, page_data
from reports.model.portable import portable, portable_location
from reports.model.shared_weights import shared_weights
from reports.model.trials import FrontSummary, summarise
from reports.model.unconfirmed import unconfirmed
from reports.model.within_tolerance import verdict
from suite.files.atomic import write_atomically
from suite.runs.tables import Run

#: In order of dependence. The last one runs after plotly.js.
SCRIPTS = (
    "formatting", "dom", "state", "figures", "answer", "sharing", "front", "growth", "network", "parallel", "table",
    "start",
)  # fmt: skip


def write_report(
    run: Run, path: Path, importance: Mapping[str, float] | None = None, location: str | None = None
) -> None:
    """Write the report of a run, finished or not, to ``path``, atomically.

    The arguments are those of ``page``.

    Raises:
        OSError: ``path`` is a folder, or its folder is missing or cannot be written to.
    """
    write_page(page(run, importance, location), path)


def write_page(html: str, path: Path) -> None:
    """Write a page to ``path``, atomically.

    Raises:
        OSError: As ``write_report``.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    write_atomically(path, html)


def page(
    run: Run,
    importance: Mapping[str, float] | None = None,
    location: str | None = None,
    refresh: float = 0.0,
    *,
    full_provenance: bool = False,
    tolerance: float | None = None,
) -> str:
    """Return the HTML of a run's report, with plotly.js, style and data inside it (about 5 MB).

    Args:
        run: Finished or not.
        importance: The share of each dimension (0..1) in the error, by the name that the sampler has for it
            (``suite.search.study.importance``); None or empty where it was not worked out.
        location: The run's folder or URL, for the commands that the page shows; None: ``run.folder``.
        refresh: Seconds after which the page looks for a newer version of itself; 0: never.
        full_provenance: Show paths and addresses as they are, for oneself; else names in their place.
        tolerance: How far behind the best a network may be to be as good, in the run's unit; None: as
            ``reports.model.within_tolerance.TOLERANCE``.
    """
    location = location or str(run.folder)
    if not full_provenance:
        run, location = portable(run), portable_location(location)
    info, summary, share = run.info, summarise(run), importance or {}
    columns = trial_columns.columns(info, summary, points.labels(run))
    shared = shared_weights(run, summary)
    grown = growth(info, summary, shared)
    found = verdict(summary, info.unit, tolerance)
    single = unconfirmed(info, summary, location)
    data = page_data(run, summary, columns, share, grown, location, shared, found)
    parts = {
        "banner": header.banner(info, summary),
        "follow": header.follow(refresh),
        "limits_form": answer.limits_form(info, summary, found),
        "answer": answer.answer(info, summary, found, single),
        "constant": answer.constant_warning(info, summary),
        "seeds": seeds_note(info),
        "tiles": answer.tiles(info, summary),
        "main_claims": claims_table.main_claims(info, summary),
        "axes": front_section.axes(data["axes"]),
        "legend": front_section.legend(info, summary, found),
        "groups": groups(summary, shared, len(other_confirmations(run))),
        "front_picture": front_picture(info, summary, shared, found),
        "chart_note": front_section.chart_note(info, summary),
        "growth": growth_section(grown, shared),
        "request": request_section(info, summary, shared),
        "comparison": comparison_section(run),
        "ranking": ranking_section(points.compare(run)),
        "confirmed": confirmed_section(info, summary, found),
        "sharing": sharing_section(info, shared, agreement(run, summary)),
        "importance": search_section.importance_table(summary, share, len(data["dimensions"])),
        "stopping": search_section.stopping(summary),
        "curves": _curves(run, summary),
        "failures": search_section.failures(summary),
        "trials": trial_table(columns, networks(summary)),
        "claims": claims_table.all_claims(info, summary),
        "published_networks": networks_of_trials(info, summary),
        "attractiveness": attractiveness_table(run, summary),
        "provenance": provenance(info, shortened=not full_provenance),
    }
    return framed_page("page", info.name, parts, data, SCRIPTS)


def _curves(run: Run, summary: FrontSummary) -> Markup:
    if not len(run.epochs):
        return render("curves", figure="")
    curves = learning_curves.collect(run, summary)
    return render(
        "curves",
        figure=figure_markup(learning_curves.draw(curves), "Validation MAE against epoch"),
        picture=curves_picture(curves),
        left_out=f"{curves.left_out:,}" if curves.left_out else "",
    )
