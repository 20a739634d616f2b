"""``suite profile``: parameters, multiply-adds and bytes of a network, without training it."""

import argparse
import dataclasses

from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import positive_int
from suite.exit_codes import ExitCode
from suite.printable import print_json, print_line
from suite.trial import NETWORKS


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite profile``."""
    summary = "parameters, multiply-adds and bytes of a network"
    parser = add_subcommand(subcommands, "profile", summary, profile)
    parser.add_argument("network", choices=NETWORKS, metavar="NET", help="%(choices)s")
    parser.add_argument(
        "--resolution", type=positive_int, default=224, metavar="R", help="pixels a side; default 224"
    )
    parser.add_argument(
        "--bins", type=positive_int, default=101, metavar="N", help="label bins; default 101 (ages 0 to 100)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def profile(options: argparse.Namespace) -> int:
    """Print the cost of a network."""
    from suite import api

    cost = api.profile(options.network, resolution=options.resolution, bins=options.bins)
    if options.json:
        print_json({"network": options.network, **dataclasses.asdict(cost)})
    else:
        print_line(f"{options.network} at {options.resolution} pixels, {options.bins} bins")
        print_line(f"  parameters    {cost.params:,}")
        print_line(f"  multiply-adds {cost.macs:,}")
        print_line(f"  bytes         {cost.bytes:,} as safetensors, float32")
    return ExitCode.DONE
