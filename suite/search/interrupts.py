"""Work that Ctrl-C must not cut in two."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """A Ctrl-C or SIGTERM inside counts at the end, and only a second one at once.

    Interrupted half-way, Ray leaves processes behind or crashes, and Optuna's journal loses its lock.
    Ray also takes SIGTERM for itself while it starts; whoever handled that before has it back
    afterwards. Signals reach the main thread alone: in another nothing is to be held back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held_back: list[int] = []

    def hold_back(number: int, frame: FrameType | None) -> None:
        if held_back:
            raise KeyboardInterrupt
        held_back.append(number)

    before = {number: signal.signal(number, hold_back) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held_back:
        raise KeyboardInterrupt
