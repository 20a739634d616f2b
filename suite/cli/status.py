"""``suite status``: the progress of a run, from any machine that sees its folder."""

import argparse
import dataclasses
from typing import TYPE_CHECKING

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import run_location
from suite.commands import command
from suite.durations import duration
from suite.exit_codes import ExitCode
from suite.printable import print_json, print_line, shortened

if TYPE_CHECKING:
    from suite.runs.status import RunProgress


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite status``."""
    summary = "show the progress of a run, from any machine that sees its folder"
    parser = add_subcommand(subcommands, "status", summary, status)
    parser.add_argument("run", type=run_location, metavar="RUN", help="run folder, or its s3:// URL")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def status(options: argparse.Namespace) -> int:
    """Print the progress of a run."""
    from suite.runs.status import status_of

    found = status_of(options.run)
    if options.json:
        print_json(dataclasses.asdict(found))
    else:
        for line in describe_status(found):
            print_line(shortened(line))
    return ExitCode.DONE


def describe_status(status: "RunProgress") -> list[str]:
    """The status of a run in a few lines."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(status.trials.items()))
    best = "-" if status.best_mae is None else f"{status.best_mae:.2f} {status.unit}"
    ended = f"{sum(status.trials.values())} of {status.trials_asked} trials ended"
    lines = [
        f"{status.name}, {status.status}, begun {status.started}",
        ended + (f": {counts}" if counts else ""),
        *([f"confirming the front: {status.confirming} trainings ended"] if status.confirming else []),
        f"best validation MAE {best}, front {status.front}, {duration(status.seconds)} of work",
    ]
    if status.seconds_left is not None:
        lines.append(f"about {duration(status.seconds_left)} of training left")
    if status.status in ("interrupted", "killed", "failed"):
        lines.append(f"go on with: {command('resume', status.run)}")
    return lines
