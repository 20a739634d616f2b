"""``suite report``: of one run, of several beside each other, or again and again while a run goes on."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from suite.errors import RequestError

if TYPE_CHECKING:
    from suite.runs.tables import Run

DONE, INTERRUPTED = 0, 130


def report(options: argparse.Namespace) -> int:
    """Write the report of a run anew, or one of several runs."""
    if options.follow is not None:
        return _follow(options)
    from suite.runs.storage.location import read_run_at

    runs = [read_run_at(place) for place in options.run]
    if len(runs) > 1:
        from reports.html.page_of_runs import page_of_runs

        _write(page_of_runs(runs), options.output or Path("comparison.html"))
        return DONE
    _place_report(options.run[0], options.output, _page(runs[0], options.run[0]))
    return DONE


def _follow(options: argparse.Namespace) -> int:
    """Write the report whenever the run has got on, until it has ended or Ctrl-C."""
    from suite.runs.storage.location import read_run_at

    if len(options.run) > 1:
        raise RequestError("--follow goes with one run; leave it out to compare several")
    place, seen = options.run[0], (-1, "")
    try:
        while True:
            run = read_run_at(place)
            going_on = run.info.status == "running"
            state = (len(run.trials), run.info.status)
            if state != seen:
                _place_report(place, options.output, _page(run, place, options.follow if going_on else 0.0))
                print(f"{len(run.trials)} trials, {run.info.status}", flush=True)
                seen = state
            if not going_on:
                return DONE
            time.sleep(options.follow)
    except KeyboardInterrupt:
        print("The report stays as it was last written; the search goes on.")
        return INTERRUPTED


def _page(run: "Run", place: Path | str, refresh: float = 0.0) -> str:
    from reports.html.page import page
    from suite.search.study.importance import importances

    return page(run, importances(run), str(place), refresh)


def _place_report(place: Path | str, output: Path | None, html: str) -> None:
    """Put a run's report where it was asked for, or beside its tables."""
    if isinstance(place, str) and output is None:
        from suite.runs.storage.location import write_report_at

        print(write_report_at(place, html))
        return
    _write(html, output or Path(place) / "report.html")


def _write(html: str, path: Path) -> None:
    from reports.html.page import write_page

    try:
        write_page(html, path)
    except OSError as error:
        raise RequestError(
            f"{path} cannot be written ({error.strerror}); name a file in a folder that exists"
        ) from None
    print(path)
