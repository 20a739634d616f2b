"""An interrupt waits for the work that it must not cut in two."""

import os
import signal

import pytest

from suite.search.interrupts import interrupts_held_back


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_counts_when_the_work_is_done(number: int) -> None:
    done = []

    @interrupts_held_back()
    def work() -> None:
        os.kill(os.getpid(), number)
        done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]


def test_a_second_interrupt_counts_at_once_and_the_old_handler_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    reached = []

    @interrupts_held_back()
    def work() -> None:
        for time in ("first", "second"):
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(time)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["first"]
    assert signal.getsignal(signal.SIGINT) is before
