"""Peak memory of a command and all processes that it starts, those of Ray included.

Every two seconds, the proportional set sizes (PSS, which divides shared pages among the processes that share them) of
all processes are summed. Where the system has no PSS, the resident set size (RSS) is used, and the sum counts shared
pages more than once.

    python benchmarks/search_memory.py [--json FILE] suite run --search tiny
"""

import argparse
import json
import os
import subprocess
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

TARGET_GIB = 6.0
INTERVAL = 2.0  # seconds between two samples; reading the memory of ten processes takes 70 ms
MARK = "SEARCH_MEMORY_MARK"  # an environment variable that all descendants inherit


@dataclass
class Peak:
    """The largest sum of all samples."""

    gib: float = 0.0
    processes: int = 0  # at the peak
    largest: dict[str, float] = field(default_factory=dict)  # GiB by program name, at the peak
    measure: str = "pss"
    samples: int = 0
    seconds: float = 0.0  # wall time of the command
    exit_code: int = 0


class Family:
    """The processes of a command: its descendants, and those with its mark in their environment."""

    def __init__(self, root: int, mark: str) -> None:
        self._root, self._mark = root, mark
        self._is_ours: dict[tuple[int, float], bool] = {}

    def members(self) -> list[psutil.Process]:
        """Return the processes that are running now."""
        try:
            descendants = {p.pid for p in psutil.Process(self._root).children(recursive=True)} | {self._root}
        except psutil.NoSuchProcess:
            descendants = set()
        return [p for p in psutil.process_iter() if self._belongs(p, descendants)]

    def _belongs(self, process: psutil.Process, descendants: set[int]) -> bool:
        """Cached, because a process may lose its parent, and Ray overwrites the memory of the environment."""
        key = (process.pid, process.create_time())
        if not self._is_ours.get(key):
            self._is_ours[key] = process.pid in descendants or (
                key not in self._is_ours and self._marked(process)
            )
        return self._is_ours[key]

    def _marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._mark
        except (psutil.Error, OSError):
            return False


def sample(processes: list[psutil.Process]) -> tuple[dict[str, float], str]:
    """Return GiB by program name, and whether these are PSS or RSS."""
    sizes: dict[str, float] = {}
    measure = "pss"
    for process in processes:
        try:
            full = process.memory_full_info()
            size = getattr(full, "pss", None)
            if size is None:
                size, measure = full.rss, "rss"
            sizes[process.name()] = sizes.get(process.name(), 0.0) + size / 2**30
        except (psutil.Error, OSError):
            continue  # it has ended, or may not be inspected
    return sizes, measure


def run(command: list[str]) -> Peak:
    """Run a command to its end and record its peak memory."""
    mark, peak, began = uuid.uuid4().hex, Peak(), time.monotonic()
    with subprocess.Popen(command, env={**os.environ, MARK: mark}) as started:
        family = Family(started.pid, mark)
        while started.poll() is None:
            members = family.members()
            sizes, measure = sample(members)
            peak.samples += 1
            if sum(sizes.values()) > peak.gib:
                peak.gib, peak.processes, peak.measure = sum(sizes.values()), len(members), measure
                peak.largest = dict(sorted(sizes.items(), key=lambda item: -item[1]))
            time.sleep(INTERVAL)
    peak.seconds, peak.exit_code = time.monotonic() - began, started.returncode
    return peak


def main() -> int:
    """Measure, print, and return the command's own exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run")
    options = parser.parse_args()
    if not options.command:
        parser.error("name a command, such as: suite run --search tiny")
    peak = run(options.command)
    print(
        f"peak memory {peak.gib:.2f} GiB ({peak.measure.upper()}, {peak.processes} processes; target "
        f"{TARGET_GIB:g} GiB), {peak.seconds:.0f} s, {peak.samples} samples, exit code {peak.exit_code}"
    )
    for name, gib in list(peak.largest.items())[:6]:
        print(f"  {gib:6.2f} GiB  {name}")
    if options.json:
        options.json.write_text(json.dumps(asdict(peak), indent=2) + "\n", encoding="utf-8")
    return peak.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
