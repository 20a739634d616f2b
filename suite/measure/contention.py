"""The share of the processor that other programs took while something was timed."""

import time
from dataclasses import dataclass

import psutil

from suite.machine import core_affinity


@dataclass(frozen=True)
class ProcessorClock:
    """Readings of three clocks, in seconds since a fixed moment, over the cores that this process may run on.

    Attributes:
        wall: Elapsed time.
        busy: Time that these cores spent on any program, summed over the cores.
        own: Processor time of this process, summed over its threads.
    """

    wall: float
    busy: float
    own: float


def read_clock() -> ProcessorClock:
    """Read the clocks. The system counts busy time in steps of about 10 ms."""
    return ProcessorClock(time.perf_counter(), _busy_seconds(), time.process_time())


def share_of_others(before: ProcessorClock, after: ProcessorClock, cores: int) -> float:
    """Return the share of ``cores`` that other programs kept busy between two readings, from 0 to 1.

    Time stolen from a virtual machine counts as time of other programs.
    """
    others = (after.busy - before.busy) - (after.own - before.own)
    return min(max(others / (cores * (after.wall - before.wall)), 0.0), 1.0)


def _busy_seconds() -> float:
    usable = core_affinity()
    readings = [times for core, times in enumerate(psutil.cpu_times(percpu=True)) if core in usable]
    # "guest" is part of "user"; a core that waits for a disk is free for other programs.
    not_busy = {"idle", "iowait", "guest", "guest_nice"}
    return float(
        sum(
            seconds for times in readings for kind, seconds in times._asdict().items() if kind not in not_busy
        )
    )
