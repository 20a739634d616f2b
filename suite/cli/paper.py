"""``suite paper``: the paper's claims next to what is counted and timed here. Nothing is trained."""

import argparse
import sys

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import positive_float
from suite.exit_codes import ExitCode
from suite.printable import print_json, print_line


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite paper``."""
    summary = "the paper's claims next to what is counted and timed here"
    parser = add_subcommand(subcommands, "paper", summary, paper)
    parser.add_argument(
        "--latency",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="time the networks; default: yes",
    )
    parser.add_argument(
        "--seconds",
        type=positive_float,
        default=90.0,
        metavar="S",
        help="longest time for the timing, in seconds; default 90",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def paper(options: argparse.Namespace) -> int:
    """Count and time the paper's networks, and print its claims next to that."""
    from reports.model.paper import networks_to_measure
    from reports.text.paper_json import paper_json
    from reports.text.paper_text import paper_text
    from suite.cli.progress import CountedProgress
    from suite.measure.paper import measure_paper

    def progress_of(stage: str) -> CountedProgress:
        print_line(stage, sys.stderr)
        return CountedProgress(stage)

    measured = measure_paper(networks_to_measure(), options.seconds if options.latency else 0.0, progress_of)
    if options.json:
        print_json(paper_json(measured))
    else:
        for line in paper_text(measured).split("\n"):
            print_line(line)
    return ExitCode.DONE
