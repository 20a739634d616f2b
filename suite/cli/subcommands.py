"""How a module of ``suite.cli`` adds its command to the command line."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

#: Carries out a command and returns its exit code. Heavy packages are imported inside, so that ``--help`` and
#: usage errors answer at once.
Action: TypeAlias = Callable[[argparse.Namespace], int]


def add_subcommand(
    subcommands: Subcommands, name: str, summary: str, action: Action | None = None
) -> argparse.ArgumentParser:
    """Add a command and return its parser, for its options.

    Args:
        subcommands: Of the parser that the command belongs to.
        name: As typed.
        summary: Shown in the list of commands and on the command's own help page.
        action: What the command does; None for a command that has subcommands of its own.
    """
    parser = subcommands.add_parser(name, help=summary, description=summary)
    if action is not None:
        parser.set_defaults(action=action)
    return parser
