"""``suite report``: the report of one run, a comparison of several, or a report that follows a running search."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import pause, positive_float, run_location
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.printable import print_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suite.runs.tables import Run

FOLLOW_SECONDS = 15.0
#: The report of several runs, where no other file is named.
COMPARISON = Path("comparison.html")


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite report``."""
    summary = "write the report of a run, finished or not, or of several"
    parser = add_subcommand(subcommands, "report", summary, report)
    parser.add_argument(
        "run",
        type=run_location,
        nargs="+",
        metavar="RUN",
        help="run folder, or its s3:// URL; several are compared in one report",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="HTML file; default: RUN/report.html, or comparison.html for several runs",
    )
    parser.add_argument(
        "--full-provenance",
        action="store_true",
        help="show paths, addresses and the command line as they are; a report for yourself, not to be passed on",
    )
    parser.add_argument(
        "--tolerance",
        type=positive_float,
        metavar="T",
        help="how far behind the best a network may be to be as good, in years or points of validation MAE; "
        "default: 0.3 years or 0.05 points",
    )
    parser.add_argument(
        "--follow",
        type=pause,
        nargs="?",
        const=FOLLOW_SECONDS,
        metavar="SECONDS",
        help="write the report again whenever the running search has progressed; checked every SECONDS, "
        f"default {FOLLOW_SECONDS:g}",
    )


def report(options: argparse.Namespace) -> int:
    """Write the report of a run, or one that compares several."""
    from reports.text.sharing_report import sharing_lines
    from reports.text.tolerance_note import tolerance_note
    from suite.files.outputs import check_writable
    from suite.runs.storage.location import read_run_at

    if options.output is not None:  # before runs are read, which may be long
        check_writable(options.output)
    if options.tolerance is not None and len(options.run) > 1:
        raise RequestError("--tolerance goes with one run; leave it out to compare several")
    if options.follow is not None:
        return _follow(options)
    runs = [read_run_at(location) for location in options.run]
    if options.output is None and (default := _default_output(options.run)) is not None:
        check_writable(default)
    if len(runs) > 1:
        from reports.html.page_of_runs import page_of_runs

        _write(page_of_runs(runs, full_provenance=options.full_provenance), options.output or COMPARISON)
        return ExitCode.DONE
    _write_report(options.run[0], options.output, _page(runs[0], options.run[0], options))
    if options.tolerance is not None and (note := tolerance_note(runs[0])):
        print_line(note, sys.stderr)
    for line in sharing_lines(runs[0]):
        print_line(line)
    return ExitCode.DONE


def _follow(options: argparse.Namespace) -> ExitCode:
    """Write the report whenever the run has progressed, until the run ends or Ctrl-C."""
    from suite.runs.storage.location import read_run_at

    if len(options.run) > 1:
        raise RequestError("--follow goes with one run; leave it out to compare several")
    location, reported = options.run[0], (-1, "")
    try:
        while True:
            run = read_run_at(location)
            running = run.info.status == "running"
            state = (len(run.trials), run.info.status)
            if state != reported:
                page = _page(run, location, options, options.follow if running else 0.0)
                _write_report(location, options.output, page)
                print_line(f"{len(run.trials)} trials, {run.info.status}")
                reported = state
            if not running:
                return ExitCode.DONE
            time.sleep(options.follow)
    except KeyboardInterrupt:
        print_line("The report stays as it was last written; the search goes on.")
        return ExitCode.INTERRUPTED


def _default_output(locations: "Sequence[Path | str]") -> Path | None:
    """Return the file that is written where none is named; None for one on object storage."""
    if len(locations) > 1:
        return COMPARISON
    return None if isinstance(locations[0], str) else locations[0] / "report.html"


def _page(run: "Run", location: Path | str, options: argparse.Namespace, refresh_seconds: float = 0.0) -> str:
    from reports.html.page import page
    from suite.search.study.importance import importances

    return page(
        run,
        importances(run),
        str(location),
        refresh_seconds,
        full_provenance=options.full_provenance,
        tolerance=options.tolerance,
    )


def _write_report(location: Path | str, output: Path | None, html: str) -> None:
    """Write a run's report to ``output``, or next to the run's tables where that is None."""
    if isinstance(location, str) and output is None:
        from suite.runs.storage.location import write_report_at

        print_line(write_report_at(location, html))
        return
    _write(html, output or Path(location) / "report.html")


def _write(html: str, path: Path) -> None:
    from reports.html.page import write_page

    try:
        write_page(html, path)
    except OSError as error:
        raise RequestError(
            f"{path} cannot be written ({error.strerror}); name a file in a folder that exists"
        ) from None
    print_line(path)
