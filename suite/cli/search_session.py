"""What ``suite run`` and ``suite resume`` share: resources, the session itself, the report, the last words."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.cli.values import gpus, non_negative_float, positive_int
from suite.commands import command
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.printable import print_line

if TYPE_CHECKING:
    from suite.runs.info import RunInfo
    from suite.runs.storage.working_folder import Expected, WorkingFolder
    from suite.runs.tables import Run

#: Options with the names of fields of ``suite.runs.info.Resources``.
RESOURCES = ("cpus_per_trial", "gpus_per_trial", "max_concurrent", "address")


def add_resource_options(parser: argparse.ArgumentParser, *, resumed: bool = False) -> None:
    """Add the options that say where trials run and with how much of the machine."""

    def default(of_a_new_run: str) -> str:
        return f"default: {'as before' if resumed else of_a_new_run}"

    parser.add_argument(
        "--max-concurrent",
        type=positive_int,
        metavar="N",
        help=f"number of trials at once; {default('as many as fit')}",
    )
    parser.add_argument(
        "--cpus-per-trial",
        type=non_negative_float,
        metavar="X",
        help=f"CPU cores of each trial; {default('1')}",
    )
    parser.add_argument(
        "--gpus-per-trial",
        type=gpus,
        metavar="X",
        help=f"GPUs of each trial; {default('0.25 where there are any')}",
    )
    parser.add_argument(
        "--address",
        metavar="A",
        help=f"address of a running Ray cluster (auto, HOST:PORT), or local for this machine; {default('local')}",
    )


def requested_resources(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of ``suite.runs.info.Resources`` that the command line names."""
    return {name: getattr(options, name) for name in RESOURCES if getattr(options, name) is not None}


def run_session(
    location: Path | str, expects: "Expected", work: Callable[["WorkingFolder"], "RunInfo"]
) -> int:
    """Carry out a session of a search, write its report, and print what came of it.

    Args:
        location: Path or ``s3://`` URL of the run folder.
        expects: What a URL must hold before the session.
        work: The session.

    Returns:
        The exit code.
    """
    from suite.cli.progress import progress_view
    from suite.runs.storage.working_folder import open_working_folder
    from suite.runs.tables import read_run

    view = progress_view()
    try:
        with open_working_folder(location, view, expects=expects) as at:
            info = work(at)
            run = read_run(at.folder)
            _write_report(run, at)
    finally:
        view.close()
    return _print_outcome(at, run, info)


def _write_report(run: "Run", at: "WorkingFolder") -> None:
    """Write the report into the run folder.

    Raises:
        RequestError: It cannot be written, for example because the disk is full.
    """
    from reports.html.page import write_report
    from suite.search.study.importance import importances

    try:
        write_report(run, at.folder / "report.html", importances(run), at.location)
    except OSError as error:
        raise RequestError(
            f"{at.location_of('report.html')} cannot be written ({error.strerror}); all else is kept: free some "
            f"space, then run '{command('report', at.location)}'"
        ) from None


def _print_outcome(at: "WorkingFolder", run: "Run", info: "RunInfo") -> ExitCode:
    """Print where the report of a run is, or how to continue the run."""
    report = at.location_of("report.html")
    if info.status == "interrupted":
        print_line(f"Interrupted; everything that had finished is in {at.location}. Continue with:")
        print_line(f"  {command('resume', at.location)}")
        return ExitCode.INTERRUPTED
    if run.trials.empty or not (run.trials["status"] == "finished").any():
        print_line(f"suite: no trial finished; {report} says why", sys.stderr)
        return ExitCode.FAILED
    print_line(f"{_counts(run, info)}. Report: {report}")
    return ExitCode.DONE


def _counts(run: "Run", info: "RunInfo") -> str:
    """How many trials there were, and in what time: "18 trials (3 stopped early) in 4 min 02 s"."""
    from suite.durations import duration

    trials, confirmations = (int((run.trials["stage"] == stage).sum()) for stage in ("search", "confirm"))
    confirmed = (
        f" and {confirmations} confirming training{'s' * (confirmations > 1)}" if confirmations else ""
    )
    stopped = int((run.trials["status"] == "stopped").sum())
    early = f" ({stopped} stopped early)" if stopped else ""
    return f"{trials} trials{early}{confirmed} in {duration(info.seconds)}"
