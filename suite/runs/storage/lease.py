"""One driver at a time for a run on object storage, which has no locks.

A driver holds a lease: an object that it rewrites every few seconds, its heartbeat. Another driver that wants the run
watches the object. While it changes, the run is in use; if it stays the same for long enough, its driver is dead.
Only the clock of the watching driver counts, so clocks need not agree.
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
from suite.files.reading import FileContentError, parse_json
from suite.runs.storage.object_storage import ObjectFolder

LEASE = "lock.json"
HEARTBEAT_SECONDS = 5.0
#: A driver without a heartbeat for so long is dead, or has been offline long enough to notice it itself.
EXPIRY_SECONDS = 30.0
#: Two drivers that find no lease at the same moment both write one; after so long, the later one stands.
SETTLE_SECONDS = 1.5


class Lease:
    """The lease of this process on a run."""

    def __init__(self, objects: ObjectFolder, staging: str) -> None:
        """Prepare a lease.

        Args:
            objects: The run.
            staging: The name of the local folder that the run is worked on in, which identifies it after a crash.
        """
        self._objects, self._staging = objects, staging
        self._process = secrets.token_hex(8)
        self._heartbeats = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="lease", daemon=True)

    def acquire(self, *, dead: str | None, report: Callable[[str], object]) -> None:
        """Acquire the run, unless another driver has it.

        Args:
            dead: The staging folder of a driver that is known to be dead.
            report: Called with a sentence if this takes a while.

        Raises:
            RequestError: Another driver works on the run.
            OSError: The storage cannot be reached.
        """
        found = self._objects.read(LEASE)
        if found is not None and _field(found, "staging") != (dead or ""):
            report(
                f"another driver has started work on this run; watching for {EXPIRY_SECONDS:g} s whether it is "
                "still active"
            )
            self._watch(found)
        self._write()
        time.sleep(SETTLE_SECONDS)
        self.check()
        self._thread.start()

    def check(self) -> None:
        """Check that this process still has the run.

        Raises:
            RequestError: Another driver has it.
            OSError: The storage cannot be reached.
        """
        found = self._objects.read(LEASE)
        if found is None or _field(found, "process") != self._process:
            raise self._in_use(found or b"")

    def release(self) -> None:
        """Release the run, so that the next driver need not wait. Storage that cannot be reached is ignored."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(OSError, RequestError):
            self.check()
            self._objects.delete(LEASE)

    def _watch(self, found: bytes) -> None:
        ends = time.monotonic() + EXPIRY_SECONDS
        while time.monotonic() < ends:
            time.sleep(min(1.0, EXPIRY_SECONDS / 10))
            now = self._objects.read(LEASE)
            if now is None:
                return
            if now != found:
                raise self._in_use(now)

    def _in_use(self, lease: bytes) -> RequestError:
        return RequestError(
            f"a search is at work in {self._objects.url} (on {_field(lease, 'host') or 'another machine'}, "
            f"process {_field(lease, 'pid') or 'unknown'}); wait until it has "
            "ended, or stop it with Ctrl-C first"
        )

    def _keep_alive(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            with contextlib.suppress(OSError, RequestError):
                self.check()  # never overwrites the lease of a driver that took over
                self._write()

    def _write(self) -> None:
        self._heartbeats += 1
        lease = {
            "staging": self._staging,
            "process": self._process,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "beats": self._heartbeats,
        }
        self._objects.write(LEASE, json.dumps(lease).encode())


def is_leased(objects: ObjectFolder) -> bool:
    """Whether a driver works on the run: its lease changes within two heartbeats, which this waits for at most.

    Raises:
        OSError: The storage cannot be reached.
    """
    found = objects.read(LEASE)
    ends = time.monotonic() + 2 * HEARTBEAT_SECONDS
    while found is not None and time.monotonic() < ends:
        time.sleep(HEARTBEAT_SECONDS / 5)
        if (now := objects.read(LEASE)) != found:
            return now is not None
    return False


def _field(lease: bytes, name: str) -> str:
    try:
        return str(parse_json(lease)[name])[:200]
    except (FileContentError, KeyError, TypeError, IndexError):
        return ""
