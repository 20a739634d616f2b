"""The local folder in which a driver works on a run: the run folder, or a copy of one on object storage."""

import contextlib
import hashlib
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from suite.commands import command
from suite.errors import RequestError, UnfinishedError
from suite.files.cache import writable_cache
from suite.files.locks import FileLockedError, file_lock
from suite.files.paths import is_there
from suite.runs.storage.lease import Lease
from suite.runs.storage.location import missing_run
from suite.runs.storage.mirror import Mirror, download_parts, holds_anything, read_state, staging_name
from suite.runs.storage.object_storage import (
    ObjectFolder,
    explain_storage_errors,
    object_url,
    open_object_folder,
    reason,
)
from suite.runs.watcher import SearchProgress, Watcher
from suite.trial import TrialResult

#: After a failure, seconds until the next upload is tried: a search must not wait for the storage at every trial.
PAUSE_SECONDS = 30.0
LAST_ATTEMPTS = 3
LAST_PAUSE_SECONDS = 5.0

Expected = Literal["nothing", "run", "either"]


@dataclass(frozen=True)
class WorkingFolder:
    """The folder of a run for one session.

    Attributes:
        folder: The folder on this machine.
        location: The run as the user names it, for messages and commands: a path or a URL.
        watcher: The watcher to report progress to, which also uploads what has ended.
    """

    folder: Path
    location: str
    watcher: Watcher

    def location_of(self, name: str) -> str:
        """Return the location of a file of the run as the user names it."""
        is_url = self.location.startswith("s3://")
        return object_url(self.location, name) if is_url else f"{self.location}/{name}"

    @property
    def holds_run(self) -> bool:
        """Whether a run was started here before."""
        return is_there(self.folder / "run.json")


@contextmanager
def open_working_folder(
    location: Path | str, watcher: Watcher, *, expects: Expected
) -> Iterator[WorkingFolder]:
    """Open the folder in which to work on the run at a path or an ``s3://`` URL.

    Args:
        location: The run folder.
        watcher: Who watches the search.
        expects: For a URL: "nothing" refuses storage that holds anything, "run" storage that holds no run.

    Raises:
        RequestError: The storage cannot be used, or another driver works on the run.
        UnfinishedError: The storage could not be reached at the end; the run is kept on this machine.
    """
    if isinstance(location, Path):
        yield WorkingFolder(location, str(location), watcher)
        return
    objects = open_object_folder(location)
    with explain_storage_errors(location):
        if expects == "nothing" and holds_anything(objects):
            raise RequestError(
                f"{location} is not empty; choose another --out, or continue the run in it with "
                f"'{command('resume', location)}'"
            )
        if expects == "run" and read_state(objects) is None:
            raise missing_run(location)
    with _staging(objects, watcher) as mirror:
        uploads = _UploadingWatcher(mirror, watcher, location)
        try:
            yield WorkingFolder(mirror.folder, location, uploads)
        except BaseException:
            with contextlib.suppress(OSError, RequestError):
                uploads.finish()
            raise
        uploads.finish()


class _UploadingWatcher:
    """A watcher that brings the storage up to date before another watcher learns that a trial has ended."""

    def __init__(self, mirror: Mirror, watcher: Watcher, location: str) -> None:
        self._mirror, self._watcher, self._location = mirror, watcher, location
        self._not_before = 0.0  # by time.monotonic()
        self._is_taken_over = False

    def stage(self, sentence: str) -> None:
        """Pass on the stage, then upload."""
        self._watcher.stage(sentence)
        self._upload()

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Upload what a trial that ended has left, then pass it on."""
        if ended is not None:
            self._upload()
        self._watcher.change(progress, ended)

    def advance(self, done: int, of: int) -> None:
        """Upload what a step has changed, then pass it on."""
        self._upload()
        self._watcher.advance(done, of)

    def close(self) -> None:
        """Pass on the end."""
        self._watcher.close()

    def finish(self) -> None:
        """Upload the rest, and delete the folder on this machine.

        Raises:
            RequestError: Another driver has taken over the run.
            UnfinishedError: The storage cannot be reached.
        """
        for attempt in range(1, LAST_ATTEMPTS + 1):
            try:
                self._upload_now()
                break
            except OSError as error:
                if attempt == LAST_ATTEMPTS:
                    raise UnfinishedError(
                        f"{self._location} cannot be reached ({reason(error)}); all is kept in "
                        f"{self._mirror.folder}, and '{command('resume', self._location)}' on "
                        "this machine sends it"
                    ) from None
                time.sleep(LAST_PAUSE_SECONDS)
        shutil.rmtree(self._mirror.folder, ignore_errors=True)

    def _upload(self) -> None:
        if self._is_taken_over or time.monotonic() < self._not_before:
            return
        try:
            self._upload_now()
        except RequestError as taken_over:
            # A search must not continue here while it continues elsewhere: end it as Ctrl-C does.
            self._is_taken_over = True
            self._watcher.stage(str(taken_over))
            _interrupt()
        except OSError as error:
            self._not_before = time.monotonic() + PAUSE_SECONDS
            self._watcher.stage(
                f"{self._location} cannot be reached ({reason(error)}); the search continues, and what ends is "
                f"kept in {self._mirror.folder} until it can"
            )

    def _upload_now(self) -> None:
        if (self._mirror.folder / "run.json").exists():
            self._mirror.upload()


def _interrupt() -> None:
    """Do what Ctrl-C does, also in a process of the background, where the shell has Ctrl-C ignored.

    Raises:
        KeyboardInterrupt: Now; or later, where the handler of Ctrl-C holds it back.
    """
    if not callable(signal.getsignal(signal.SIGINT)):
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


@contextmanager
def _staging(objects: ObjectFolder, watcher: Watcher) -> Iterator[Mirror]:
    """Prepare this machine's folder for the run, as new as the storage or newer, and locked by this process."""
    # Home folders may be shared. The folder of another machine is not this one's: its driver may be alive.
    identity = "\0".join([socket.gethostname(), str(objects.endpoint), objects.base])
    with writable_cache("runs") as runs:
        folder = runs / hashlib.sha256(identity.encode()).hexdigest()[:16]
    with _lock(folder, objects.url):
        before = staging_name(folder)
        name = before or secrets.token_hex(8)
        lease = Lease(objects, name)
        try:
            with explain_storage_errors(objects.url):
                lease.acquire(dead=before, report=watcher.stage)
                mirror = Mirror(folder, objects, lease, name)
                _bring_up_to_date(objects, mirror, watcher)
            yield mirror
        finally:
            lease.release()
            with contextlib.suppress(OSError):
                folder.rmdir()  # empty if the run was refused


@contextmanager
def _lock(folder: Path, url: str) -> Iterator[None]:
    """Keep other processes of this machine out of the folder."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(file_lock(folder.with_name(folder.name + ".lock")))
        except FileLockedError:
            raise RequestError(
                f"a search is at work in {url} on this machine; wait until it has ended, or stop it with "
                "Ctrl-C first"
            ) from None
        yield


def _bring_up_to_date(objects: ObjectFolder, mirror: Mirror, watcher: Watcher) -> None:
    """Download the run, unless the storage was last written from this very folder."""
    folder = mirror.folder
    state = read_state(objects)
    own = staging_name(folder)
    if own is not None and (state is None or state.staging == own):
        watcher.stage(f"continuing with what is in {folder}, which {objects.url} may lack")
        mirror.upload()
        return
    if (folder / "run.json").exists():
        aside = folder.with_name(f"{folder.name}-left-{secrets.token_hex(4)}")
        folder.rename(aside)
        watcher.stage(f"another machine has continued this run; what was here is now in {aside}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if state is not None:
        watcher.stage(f"downloading the run from {objects.url}")
        download_parts(objects, folder)
        state.unpack(folder)
        mirror.mark_uploaded()
        mirror.upload()  # this folder is the newest from here on, and the storage must say so first
