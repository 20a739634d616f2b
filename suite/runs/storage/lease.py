"""One driver at a time for a run on object storage, which has no locks.

The driver's sign is an object that it writes anew every few seconds. Another one that wants the run watches
the sign: while it changes, the run is taken; when it has stood still long enough, its driver is dead. Only
the watcher's own clock counts, so that clocks need not agree.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable

from suite.errors import RequestError
from suite.runs.storage.object_storage import ObjectFolder

SIGN = "lock.json"
BEAT_SECONDS = 5.0
#: A driver whose sign stands still so long is dead, or so long without a network that it will notice.
SILENCE_SECONDS = 30.0
#: Two drivers that see no sign at the same moment both write one; after so long the later one stands.
SETTLE_SECONDS = 1.5


class Lease:
    """The sign of this process on a run."""

    def __init__(self, objects: ObjectFolder, staging: str) -> None:
        """``staging`` names the local folder that the run is worked on in, to know it again after a crash."""
        self._objects, self._staging = objects, staging
        self._process = secrets.token_hex(8)
        self._beats = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def take(self, *, dead: str | None, say: Callable[[str], object]) -> None:
        """Take the run, where no other driver has it.

        Args:
            dead: the staging folder of a driver that is known to be dead.
            say: told when it will take a while.

        Raises:
            RequestError: another driver works on it.
            OSError: the storage cannot be reached.
        """
        found = self._objects.read(SIGN)
        if found is not None and _field(found, "staging") != (dead or ""):
            say(
                f"somebody began to work on this run; watching for {SILENCE_SECONDS:g} s whether they "
                "still do"
            )
            self._watch(found)
        self._write()
        time.sleep(SETTLE_SECONDS)
        self.check()
        self._thread.start()

    def check(self) -> None:
        """See that the run is still this process's.

        Raises:
            RequestError: another driver has it.
            OSError: the storage cannot be reached.
        """
        found = self._objects.read(SIGN)
        if found is None or _field(found, "process") != self._process:
            raise self._taken(found or b"")

    def release(self) -> None:
        """Let go of the run, so that nobody has to wait; a storage that is out of reach does not matter."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(OSError, RequestError):
            self.check()
            self._objects.delete(SIGN)

    def _watch(self, found: bytes) -> None:
        ends = time.monotonic() + SILENCE_SECONDS
        while time.monotonic() < ends:
            time.sleep(min(1.0, SILENCE_SECONDS / 10))
            now = self._objects.read(SIGN)
            if now is None:
                return
            if now != found:
                raise self._taken(now)

    def _taken(self, sign: bytes) -> RequestError:
        return RequestError(
            f"a search is at work in {self._objects.url} (on {_field(sign, 'host') or 'another machine'}, "
            f"process {_field(sign, 'pid') or 'unknown'}); wait until it has "
            "ended, or stop it with Ctrl-C first"
        )

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with contextlib.suppress(OSError, RequestError):
                self.check()  # never over the sign of somebody who took the run
                self._write()

    def _write(self) -> None:
        self._beats += 1
        sign = {
            "staging": self._staging,
            "process": self._process,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "beats": self._beats,
        }
        self._objects.write(SIGN, json.dumps(sign).encode())


def is_signed(objects: ObjectFolder) -> bool:
    """A driver works on the run: its sign is there and changes, for which this waits two beats at most.

    Raises:
        OSError: the storage cannot be reached.
    """
    found = objects.read(SIGN)
    ends = time.monotonic() + 2 * BEAT_SECONDS
    while found is not None and time.monotonic() < ends:
        time.sleep(BEAT_SECONDS / 5)
        if (now := objects.read(SIGN)) != found:
            return now is not None
    return False


def _field(sign: bytes, name: str) -> str:
    try:
        return str(json.loads(sign)[name])
    except (ValueError, KeyError, TypeError):
        return ""
