"""A search small enough for a test, carried out by a driver process of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from suite.data.store import Store

SPACE = """\
name: small
data: {data}
objectives: [val_mae, params, macs]
trials: 7
confirm_seeds: 1
base: {{epochs: 6, resolution: 32, batch_size: 16, depths: [1, 1, 1, 1, 1]}}
vary:
  widths:
    - {{low: 2, high: 8, step: 2}}
    - {{low: 2, high: 8, step: 2}}
    - {{low: 2, high: 8, step: 2}}
    - {{low: 2, high: 8, step: 2}}
    - {{low: 2, high: 8, step: 2}}
  learning_rate: {{low: 1.0e-3, high: 1.0e-2, log: true}}
latency: {{resolution: 32, batch_size: 1, rounds: 2}}
"""


#: In the lines that tell every minute what trains, and how many have ended.
IN_PROGRESS = re.compile(r"\bepoch \d+ of \d+|^\d+ of \d+ done, ")


class Driver:
    """A ``suite`` command as a terminal starts it: in a session and a process group of its own."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "suite.cli", *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Where the tests run in the background, Ctrl-C is ignored, and children would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.said: list[str] = []

    def wait_for_trials(self, count: int) -> None:
        """Read on until so many trials have ended."""
        assert self.process.stdout is not None
        ended = 0
        while ended < count:
            line = self.process.stdout.readline()
            assert line, f"the search ended before {count} trials had: {self.said}"
            self.said.append(line.rstrip("\n"))
            ended += " done, " in line and not IN_PROGRESS.search(line)

    def kill(self) -> None:
        """``kill -9`` of the driver alone."""
        self.process.kill()
        self.process.wait()

    def press_ctrl_c(self) -> None:
        """SIGINT to the whole foreground group, Ray's processes included."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Read on to the end; the exit code."""
        rest, _ = self.process.communicate()
        self.said += rest.splitlines()
        return self.process.returncode

    def left_over(self) -> list[str]:
        """Names of the processes of the driver's session that still run."""
        return [name for _, name in self._session()]

    def clear_away(self) -> None:
        """Kill what still runs of the driver's session."""
        for process, _ in self._session():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _session(self) -> list[tuple[psutil.Process, str]]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                is_ours = os.getsid(process.pid) == self.process.pid
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append((process, process.name()))
        return found


@pytest.fixture
def search_file(tmp_path: Path, store: Store) -> Path:
    """A search of seven trials of six epochs, on the small store."""
    path = tmp_path / "small.yaml"
    path.write_text(SPACE.format(data=store.folder))
    return path


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Starts a driver; nothing that it started outlives the test."""
    drivers: list[Driver] = []

    def start(*arguments: str) -> Driver:
        drivers.append(Driver(*arguments, cwd=tmp_path))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.clear_away()
