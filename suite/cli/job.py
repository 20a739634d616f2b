"""``suite job``: follow or stop a job that ``suite submit`` sent."""

import argparse

from suite.cli.dashboard import add_dashboard_address, dashboard_address
from suite.cli.subcommands import Subcommands, add_subcommand


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite job`` and its verbs."""
    job = add_subcommand(subcommands, "job", "follow or stop a job that 'suite submit' sent")
    verbs = job.add_subparsers(required=True, metavar="VERB")
    for parser in (
        add_subcommand(verbs, "follow", "print the log of a job until it ends", follow),
        add_subcommand(verbs, "stop", "stop a job; finished trials are kept", stop),
    ):
        parser.add_argument("job", metavar="ID", help="name of the job")
        add_dashboard_address(parser)


def follow(options: argparse.Namespace) -> int:
    """Print the log of a job to its end; the exit code is the job's own."""
    from suite.cluster import submission

    address = dashboard_address(options)
    return submission.follow(submission.connect(address), address, options.job)


def stop(options: argparse.Namespace) -> int:
    """Stop a job."""
    from suite.cluster import submission

    address = dashboard_address(options)
    return submission.stop(submission.connect(address), address, options.job)
