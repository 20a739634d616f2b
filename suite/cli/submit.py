"""``suite submit``: send a search to a running Ray cluster as a job."""

import argparse

from suite.cli.dashboard import add_dashboard_address, dashboard_address
from suite.cli.remote_run import add_remote_run, remote_run
from suite.cli.subcommands import Subcommands, add_subcommand
from suite.exit_codes import ExitCode
from suite.printable import print_line


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite submit``."""
    summary = "send a search to a Ray cluster as a job, and follow its log"
    parser = add_subcommand(subcommands, "submit", summary, submit)
    parser.add_argument("--name", metavar="ID", help="name of the job; default: one that Ray chooses")
    parser.add_argument("--no-follow", action="store_true", help="return as soon as the job is sent")
    add_dashboard_address(parser)
    add_remote_run(parser)


def submit(options: argparse.Namespace) -> int:
    """Send the job, and follow its log to the end; the exit code is then the job's own."""
    from suite.cluster import submission

    address = dashboard_address(options)
    sent = remote_run(options)
    client = submission.connect(address)
    job = submission.submit(client, address, sent, options.name)
    print_line(f"sent as {job} to {address}; its run folder: {sent.out}")
    return ExitCode.DONE if options.no_follow else submission.follow(client, address, job)
