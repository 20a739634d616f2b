"""Which Ray cluster a command is about: the address of its dashboard."""

import argparse
import os

from suite.errors import RequestError
from suite.url_secrets import has_secret

LOCAL_DASHBOARD = "http://127.0.0.1:8265"


def add_dashboard_address(parser: argparse.ArgumentParser) -> None:
    """Add ``--address``."""
    parser.add_argument(
        "--address",
        metavar="URL",
        help=f"the Ray dashboard of the cluster; default: $RAY_API_SERVER_ADDRESS, else {LOCAL_DASHBOARD}",
    )


def dashboard_address(options: argparse.Namespace) -> str:
    """The address from the command line, from the environment, or of this machine.

    Raises:
        RequestError: It contains a password, which is printed with it.
    """
    address = str(options.address or os.environ.get("RAY_API_SERVER_ADDRESS") or LOCAL_DASHBOARD)
    if has_secret(address):
        raise RequestError(
            "the address of the dashboard contains a password, which logs would show; set RAY_AUTH_TOKEN instead"
        )
    return address
