"""How much of the processor other programs took while something was timed."""

import os
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class ProcessorClock:
    """Seconds since some fixed moment, of the cores that this process may run on."""

    wall: float
    busy: float  # of all those cores together, whoever kept them busy
    own: float  # of this process, all its threads together


def read_clock() -> ProcessorClock:
    """The clock now; the system counts busy time in steps of about 10 ms."""
    return ProcessorClock(time.perf_counter(), _busy_seconds(), time.process_time())


def share_of_others(before: ProcessorClock, after: ProcessorClock, cores: int) -> float:
    """Which share of ``cores`` others kept busy between two readings, 0 to 1; time stolen from a
    virtual machine is theirs too."""
    others = (after.busy - before.busy) - (after.own - before.own)
    return min(max(others / (cores * (after.wall - before.wall)), 0.0), 1.0)


def usable_cores() -> frozenset[int]:
    """Numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def _busy_seconds() -> float:
    usable = usable_cores()
    readings = [times for core, times in enumerate(psutil.cpu_times(percpu=True)) if core in usable]
    # "guest" is a part of "user"; waiting for a disk leaves a core free.
    not_busy = {"idle", "iowait", "guest", "guest_nice"}
    return float(
        sum(
            seconds for times in readings for kind, seconds in times._asdict().items() if kind not in not_busy
        )
    )
