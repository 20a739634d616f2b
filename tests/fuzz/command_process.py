"""A process that runs one command after another, so that a hang or a filled memory ends it and not the tests."""

import contextlib
import io
import json
import os
import resource
import select
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: The machine's memory is safe from a command that asks for more than this.
MEMORY_LIMIT = 10 * 2**30  # bytes


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: The exit code; None where an exception came out of ``main``, or the process died.
        output: What it wrote, and the traceback.
        bytes_more: How much the largest memory of the process grew beyond that of a command with good input.
    """

    code: int | None
    output: str
    bytes_more: int


class CommandProcess:
    """Runs ``suite`` commands in a process of its own, which is replaced after a hang or a crash."""

    def __init__(self, warm_up: Sequence[Sequence[str]]) -> None:
        """Start nothing yet.

        Args:
            warm_up: Commands with good input, whose memory is the measure for the others.
        """
        self._warm_up = [list(command) for command in warm_up]
        self._process: subprocess.Popen[str] | None = None

    def run(self, arguments: Sequence[str], seconds: float) -> Ended:
        """Run a command; after ``seconds`` it is ended, and its code is None."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        return self._ask([list(arguments)], seconds)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ready = self._ask(self._warm_up, 120)
        assert ready.code == 0, ready.output

    def _ask(self, commands: list[list[str]], seconds: float) -> Ended:
        """Send commands, and wait for the end of the last one."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        shown = " ".join(commands[-1])
        process.stdin.write(json.dumps(commands) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], seconds)[0]:
            self.close()
            return Ended(None, f"hung for {seconds:g} s: {shown}", 0)
        answer = process.stdout.readline()
        if not answer:
            return Ended(None, f"the process died with {process.wait()}: {shown}", 0)
        return Ended(**json.loads(answer))


def serve() -> None:
    """Run the commands of each line of the standard input; the first line has those with good input."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not pass for an answer
    usual = 0
    for line in sys.stdin:
        for command in json.loads(line):
            ended = _run(command)
        usual = usual or _largest_memory()
        answers.write(json.dumps({**vars(ended), "bytes_more": _largest_memory() - usual}) + "\n")
        answers.flush()


def _run(arguments: list[str]) -> Ended:
    from suite.cli.main import main

    written = io.StringIO()
    code: int | None
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        try:
            code = main(arguments)
        except SystemExit as error:  # of argparse
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            code = None
            traceback.print_exc()
    return Ended(code, written.getvalue(), 0)


def _largest_memory() -> int:
    """The largest resident memory that this process and its children had, in bytes."""
    own, children = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return 1024 * max(own, children)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their path in it."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


if __name__ == "__main__":
    serve()
