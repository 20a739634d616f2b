"""The share of the processor that other programs take."""

import time

import pytest

from suite.machine import core_affinity
from suite.measure.contention import ProcessorClock, read_clock, share_of_others


@pytest.mark.parametrize(
    ("busy", "own", "share"),
    [
        (20.0, 20.0, 0.0),  # all of it was ours
        (20.0, 10.0, 0.5),
        (15.0, 5.0, 0.5),  # a core was idle for half of the time
        (20.0, 0.0, 1.0),
        (9.98, 10.0, 0.0),  # the system's coarse steps can make ours the larger one
    ],
)
def test_the_share_is_of_all_the_cores_for_all_the_time(busy: float, own: float, share: float) -> None:
    before = ProcessorClock(wall=100.0, busy=1000.0, own=3.0)
    after = ProcessorClock(wall=110.0, busy=1000.0 + busy, own=3.0 + own)
    assert share_of_others(before, after, cores=2) == pytest.approx(share)


def test_the_clock_counts_what_this_process_computes() -> None:
    before = read_clock()
    while time.process_time() - before.own < 0.2:
        pass
    after = read_clock()
    assert after.own - before.own >= 0.2
    assert after.busy - before.busy > 0.1  # in steps of 10 ms, from either end
    assert 0 <= share_of_others(before, after, len(core_affinity())) <= 1
