"""The options of ``suite run`` and ``suite resume`` for the confirmation of the front."""

import argparse

from suite.cli.values import non_negative_int, positive_int

#: The fields of a search space, which the options are named after.
FIELDS = ("confirm_seeds", "confirm_epochs", "confirm_neighbours")


def add_confirmation_options(
    parser: "argparse.ArgumentParser | argparse._ArgumentGroup", *, resumed: bool = False
) -> None:
    """Add an option for each of ``FIELDS``."""
    as_before = "; default: as before" if resumed else ""
    parser.add_argument(
        "--confirm-seeds",
        type=positive_int,
        metavar="N",
        help="number of seeds with which the members of the front are trained again; "
        + ("at least as many as before" if resumed else "1: not at all")
        + as_before,
    )
    parser.add_argument(
        "--confirm-epochs",
        type=_length,
        metavar="N|Nx",
        help="epochs of these trainings, or as 4x a factor of those of the search" + as_before,
    )
    parser.add_argument(
        "--confirm-neighbours",
        type=non_negative_int,
        metavar="N",
        help="how many trials beside the front are confirmed at most: the paper's networks, then those nearest to "
        "the front" + as_before,
    )


def requested_confirmation(options: argparse.Namespace) -> dict[str, int | str]:
    """Return the fields of a search space that the options name."""
    return {field: getattr(options, field) for field in FIELDS if getattr(options, field) is not None}


def _length(text: str) -> int | str:
    """Return a number of epochs as one; the search space checks it, and what else it may be."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
