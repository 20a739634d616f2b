"""Work that Ctrl-C must not interrupt half-way."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Delay a Ctrl-C or SIGTERM to the end of the context; a second one interrupts at once.

    Interrupted half-way, Ray leaves processes behind or crashes, and Optuna's journal is left incomplete.
    Ray also installs its own SIGTERM handler while it starts; the previous handlers are restored afterwards.
    Signals reach the main thread alone, so in other threads the context does nothing.
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
