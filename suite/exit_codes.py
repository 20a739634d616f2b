"""The exit codes of the commands. docs/first-search.md documents them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended, as the shell sees it."""

    DONE = 0
    FAILED = 1  # the work failed
    WRONG_REQUEST = 2  # argparse exits with it, too
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
