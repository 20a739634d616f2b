"""The entry point: the parser of all commands, and the exit code of the one that was typed."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from suite import __version__
from suite.cli import (
    compress,
    data,
    export,
    job,
    manifest,
    paper,
    predict,
    pretrain,
    profile,
    report,
    resume,
    run,
    status,
    submit,
)
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.printable import flush_output, make_streams_encodable, print_line, printable, shortened
from suite.url_secrets import has_secret

#: In the order of ``suite --help``. A new command is a module with ``add_command``, and a name here.
COMMANDS = (
    *(run, resume, report, paper, profile, pretrain, data),
    *(export, compress, predict),
    *(status, submit, job, manifest),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, one of ``suite.exit_codes``.

    Args:
        arguments: The words after ``suite``; None takes those of this process.
    """
    make_streams_encodable()
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        return int(options.action(options))
    except RequestError as error:
        print_line(f"suite: {shortened(str(error))}", sys.stderr)
        return ExitCode.WRONG_REQUEST
    except KeyboardInterrupt:
        print_line("suite: interrupted", sys.stderr)
        return ExitCode.INTERRUPTED
    finally:
        flush_output()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the words after ``suite``, and keep them as ``arguments`` of the result.

    Of a command that sends a run elsewhere, ``remote_options`` are the parsed ``remote_arguments``.
    """
    parser = build_parser()
    if any(has_secret(word) for word in arguments):
        parser.error(
            "a URL on the command line contains a key or a password, which run.json, job files and logs would show; "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or RAY_AUTH_TOKEN, in the environment instead"
        )
    options = parser.parse_args(arguments)
    options.arguments = tuple(arguments)
    if "remote_arguments" in options:
        words = options.remote_arguments
        options.remote_arguments = words[1:] if words[:1] == ["--"] else words
        if not options.remote_arguments:
            parser.error("nothing is sent; write the run behind --, as -- run --search tiny --out DIR")
        options.remote_options = parser.parse_args(options.remote_arguments)
    return options


class _Parser(argparse.ArgumentParser):
    """A parser, also of each command, whose errors show words such as file names without control characters."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(shortened(message)))


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = _Parser(
        prog="suite",
        description="How small and fast can a facial age or attractiveness network get before it gets worse?",
        epilog="'suite COMMAND --help' describes one command. Exit codes: 0 done, 1 the work failed, "
        "2 the request was wrong, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"suite {__version__}")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_command(subcommands)
    return parser
