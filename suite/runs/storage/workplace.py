"""Where a driver works on a run: in its folder; for one on object storage, in a folder of this machine."""

import contextlib
import fcntl
import hashlib
import secrets
import shlex
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from suite.errors import RequestError, UnfinishedError
from suite.files.cache import cache_folder
from suite.runs.storage.lease import Lease, is_signed
from suite.runs.storage.mirror import (
    REPORT,
    STATE,
    Mirror,
    fetch_parts,
    holds_anything,
    read_state,
    staging_name,
)
from suite.runs.storage.object_storage import ObjectFolder, open_object_folder, reason, storage_asked, url_of
from suite.runs.tables import Run, read_run
from suite.runs.watcher import SearchProgress, Watcher
from suite.trial import TrialResult

#: After a failure, seconds until the storage is tried again: a search must not wait for it at every trial.
PAUSE_SECONDS = 30.0
LAST_ATTEMPTS = 3
LAST_PAUSE_SECONDS = 5.0

Expected = Literal["nothing", "run", "either"]


@dataclass(frozen=True)
class Workplace:
    """A run folder, for the length of one session.

    Attributes:
        folder: on this machine.
        shown: the run as a person names it, for messages and commands.
        watcher: tell it how the search goes: it sees to it that what ended is kept.
    """

    folder: Path
    shown: str
    watcher: Watcher

    def shown_file(self, name: str) -> str:
        """A file of the run as a person names it."""
        return url_of(self.shown, name) if self.shown.startswith("s3://") else f"{self.shown}/{name}"

    @property
    def holds_run(self) -> bool:
        """A run was begun here before."""
        return (self.folder / "run.json").exists()


@contextmanager
def workplace(place: Path | str, watcher: Watcher, *, expects: Expected) -> Iterator[Workplace]:
    """The place to work on a run at a path, or an ``s3://`` URL.

    Args:
        place: of the run folder.
        watcher: who watches the search.
        expects: of a URL: refuse storage that holds anything, or that holds no run, or neither of the two.

    Raises:
        RequestError: the storage cannot be used, or another driver works there.
        UnfinishedError: at the end the storage was out of reach; all is still on this machine.
    """
    if isinstance(place, Path):
        yield Workplace(place, str(place), watcher)
        return
    objects = open_object_folder(place)
    with storage_asked(place):
        if expects == "nothing" and holds_anything(objects):
            raise RequestError(
                f"{place} is not empty; choose another --out, or continue the run in it with "
                f"'suite resume {shlex.quote(place)}'"
            )
        if expects == "run" and read_state(objects) is None:
            raise no_run(place)
    with _staging(objects, watcher) as mirror:
        sending = _Sending(mirror, watcher, place)
        try:
            yield Workplace(mirror.folder, place, sending)
        except BaseException:
            with contextlib.suppress(OSError, RequestError):
                sending.finish()
            raise
        sending.finish()


def read_run_at(place: Path | str) -> Run:
    """Read a run folder at a path or a URL; nothing there is changed.

    Raises:
        RequestError: it is no run, or the storage cannot be used.
    """
    if isinstance(place, Path):
        return read_run(place)
    objects = open_object_folder(place)
    with storage_asked(place):
        state = read_state(objects)
    if state is None:
        raise no_run(place)
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        state.unpack(Path(folder))
        return read_run(Path(folder))


def is_worked_on(place: Path | str) -> bool | None:
    """A driver is at work on the run just now; None where this cannot be told.

    Raises:
        RequestError: the storage cannot be used.
    """
    if isinstance(place, str):
        objects = open_object_folder(place)
        with storage_asked(place):
            return is_signed(objects)
    try:
        with (place / ".lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # nobody locked it yet, or a file system without locks
        return None
    return False


def no_run(place: str) -> RequestError:
    """A URL at which there is no run."""
    return RequestError(
        f"{place} holds no run (no {STATE}); 'suite run --out {shlex.quote(place)}' makes one"
    )


class _Sending:
    """A watcher that has the storage up to date before anybody hears that a trial ended."""

    def __init__(self, mirror: Mirror, watcher: Watcher, place: str) -> None:
        self._mirror, self._watcher, self._place = mirror, watcher, place
        self._not_before = 0.0
        self._taken = False

    def stage(self, sentence: str) -> None:
        """Pass it on."""
        self._watcher.stage(sentence)
        self._send()

    def change(self, standing: SearchProgress, ended: TrialResult | None) -> None:
        """Send what a trial left that ended, then pass it on."""
        if ended is not None:
            self._send()
        self._watcher.change(standing, ended)

    def advance(self, done: int, of: int) -> None:
        """Send what a step has changed, then pass it on."""
        self._send()
        self._watcher.advance(done, of)

    def close(self) -> None:
        """Pass it on."""
        self._watcher.close()

    def finish(self) -> None:
        """Send the rest, and clear this machine's folder.

        Raises:
            RequestError: another driver took the run.
            UnfinishedError: the storage is out of reach.
        """
        for attempt in range(1, LAST_ATTEMPTS + 1):
            try:
                self._send_now()
                break
            except OSError as error:
                if attempt == LAST_ATTEMPTS:
                    raise UnfinishedError(
                        f"{self._place} cannot be reached ({reason(error)}); all is kept in "
                        f"{self._mirror.folder}, and 'suite resume {shlex.quote(self._place)}' on "
                        "this machine sends it"
                    ) from None
                time.sleep(LAST_PAUSE_SECONDS)
        shutil.rmtree(self._mirror.folder, ignore_errors=True)

    def _send(self) -> None:
        if self._taken or time.monotonic() < self._not_before:
            return
        try:
            self._send_now()
        except RequestError as taken:
            # A search may not go on here while it goes on elsewhere: end it as Ctrl-C does.
            self._taken = True
            self._watcher.stage(str(taken))
            signal.raise_signal(signal.SIGINT)
        except OSError as error:
            self._not_before = time.monotonic() + PAUSE_SECONDS
            self._watcher.stage(
                f"{self._place} cannot be reached ({reason(error)}); the search goes on, and what ends is "
                f"kept in {self._mirror.folder} until it can"
            )

    def _send_now(self) -> None:
        if (self._mirror.folder / "run.json").exists():
            self._mirror.send()


@contextmanager
def _staging(objects: ObjectFolder, watcher: Watcher) -> Iterator[Mirror]:
    """This machine's folder for the run, as new as the storage or newer, and this process's alone."""
    # Homes may be shared: another machine's folder is not this one's, and its driver not known to be dead.
    identity = "\0".join([socket.gethostname(), str(objects.endpoint), objects.base])
    folder = cache_folder() / "runs" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder, objects.url):
        before = staging_name(folder)
        name = before or secrets.token_hex(8)
        lease = Lease(objects, name)
        try:
            with storage_asked(objects.url):
                lease.take(dead=before, say=watcher.stage)
                mirror = Mirror(folder, objects, lease, name)
                _bring_up_to_date(objects, mirror, watcher)
            yield mirror
        finally:
            lease.release()
            with contextlib.suppress(OSError):
                folder.rmdir()  # where nothing came of it


@contextmanager
def _alone(folder: Path, url: str) -> Iterator[None]:
    """No other process of this machine works in the folder inside."""
    with folder.with_name(folder.name + ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RequestError(
                f"a search is at work in {url} on this machine; wait until it has ended, or stop it with "
                "Ctrl-C first"
            ) from None
        yield


def _bring_up_to_date(objects: ObjectFolder, mirror: Mirror, watcher: Watcher) -> None:
    """The folder as the storage has it, unless the last who wrote there worked in this very folder."""
    folder = mirror.folder
    state = read_state(objects)
    own = staging_name(folder)
    if own is not None and (state is None or state.staging == own):
        watcher.stage(f"going on with what is in {folder}, which {objects.url} may lack")
        mirror.send()
        return
    if (folder / "run.json").exists():
        aside = folder.with_name(f"{folder.name}-left-{secrets.token_hex(4)}")
        folder.rename(aside)
        watcher.stage(f"another machine went on with this run; what was here is now in {aside}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if state is not None:
        watcher.stage(f"fetching the run from {objects.url}")
        fetch_parts(objects, folder)
        state.unpack(folder)
        mirror.take_as_sent()
        mirror.send()  # from here on this folder is the newest, which the storage must know first


def write_report_at(place: str, page: str) -> str:
    """Put the report of a run on object storage beside its tables, and return its URL.

    Raises:
        RequestError: the storage cannot be used.
    """
    objects = open_object_folder(place)
    with storage_asked(place):
        objects.write(REPORT, page.encode())
    return url_of(place, REPORT)
