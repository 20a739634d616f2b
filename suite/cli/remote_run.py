"""A ``suite run`` that a command sends to other machines, typed behind ``--``."""

import argparse
from typing import TYPE_CHECKING

from suite.cli.overrides import overrides

if TYPE_CHECKING:
    from suite.cluster.remote_run import RemoteRun


def add_remote_run(parser: argparse.ArgumentParser) -> None:
    """Add the words behind ``--``, which ``suite.cli.main.parse`` parses as a command of their own."""
    parser.add_argument(
        "remote_arguments",
        nargs=argparse.REMAINDER,
        metavar="-- run ...",
        help="-- run --search NAME ..., as for 'suite run'",
    )


def remote_run(options: argparse.Namespace) -> "RemoteRun":
    """Check the run before it waits in a queue.

    Raises:
        RequestError: It is not a run that another machine can carry out.
    """
    from suite.cluster.remote_run import check_command, remote_run

    requested = options.remote_options
    check_command(options.remote_arguments[0])
    return remote_run(
        options.remote_arguments,
        search=requested.search,
        out=requested.out,
        address=requested.address,
        settings=overrides(requested),
    )
