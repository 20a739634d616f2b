"""A run folder on object storage, kept up to date from the local folder that the driver works in.

``state.tar`` has the tables, the journals and ``run.json`` of one moment in one object: it is replaced in one
step, and a search goes on from it. A file of weights is there before the row that speaks of it. The tables
and ``run.json`` lie beside it once more, for people who read them with pandas. Checkpoints of trials under
way follow now and then, and go when their trial has ended.
"""

import io
import tarfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from suite.errors import RequestError
from suite.runs.layout import CHECKPOINTS
from suite.runs.storage.lease import SIGN, Lease
from suite.runs.storage.object_storage import ObjectFolder

STATE = "state.tar"
REPORT = "report.html"
#: The file in the state that names the staging folder which wrote it last.
STAGING = ".staging"
#: Rooms of a run folder that only its driver needs, and one that is sent in its own time.
LEFT_OUT = ("tune", CHECKPOINTS)
#: Checkpoints are sent when the last time lies so many times its own length back.
TIMES_BACK = 20
#: Of the state, what others read by itself.
PLAIN = (".json", ".parquet")


class Mirror:
    """Sends what has changed in a run folder since the last time."""

    def __init__(self, folder: Path, objects: ObjectFolder, lease: Lease, staging: str) -> None:
        """``staging`` is the folder's name in the state, by which it is known to be the newest."""
        self.folder = folder
        self._objects, self._lease, self._staging = objects, lease, staging
        self._sent: dict[str, tuple[int, int]] = {}
        self._checkpoints_not_before = 0.0  # by time.monotonic()

    def take_as_sent(self) -> None:
        """What is in the folder now came from the storage."""
        self._sent = {name: _stamp(self.folder / name) for name in (*self._parts(), *self._state())}
        self._sent |= self._checkpoints()

    def send(self) -> None:
        """Make the storage equal to the folder. Weights first, then the state in one step.

        Raises:
            RequestError: another driver took the run, and nothing was written.
            OSError: the storage cannot be reached; the state there is an earlier one, and whole.
        """
        if staging_name(self.folder) != self._staging:
            (self.folder / STAGING).write_text(self._staging, encoding="utf-8")
        parts = {name: _stamp(self.folder / name) for name in self._parts()}
        state = {name: _stamp(self.folder / name) for name in self._state()}
        if (parts | state).items() <= self._sent.items():
            return
        self._lease.check()
        for name, stamp in parts.items():
            self._send(name, stamp)
        if not state.items() <= self._sent.items():
            self._objects.write(STATE, _packed(self.folder, list(state)))
            for name, stamp in state.items():
                if name.endswith(PLAIN):
                    self._send(name, stamp)
            self._sent |= state
        if time.monotonic() >= self._checkpoints_not_before:
            self._send_checkpoints()

    def _send_checkpoints(self) -> None:
        began = time.monotonic()
        there = self._checkpoints()
        for name, stamp in there.items():
            with suppress(FileNotFoundError):  # its trial ended in this moment
                self._send(name, stamp)
        for name in [name for name in self._sent if name.startswith(f"{CHECKPOINTS}/") and name not in there]:
            self._objects.delete(name)
            del self._sent[name]
        ended = time.monotonic()
        self._checkpoints_not_before = ended + TIMES_BACK * (ended - began)

    def _checkpoints(self) -> dict[str, tuple[int, int]]:
        """Those in the folder just now: trials write and remove them at any time."""
        found: dict[str, tuple[int, int]] = {}
        for file in (self.folder / CHECKPOINTS).glob("*.pt"):
            with suppress(FileNotFoundError):
                found[f"{CHECKPOINTS}/{file.name}"] = _stamp(file)
        return found

    def _send(self, name: str, stamp: tuple[int, int]) -> None:
        if self._sent.get(name) != stamp:
            self._objects.send(name, self.folder / name)
            self._sent[name] = stamp

    def _parts(self) -> list[str]:
        """Files of the rooms, and the report."""
        rooms = [room for room in self.folder.iterdir() if room.is_dir() and room.name not in LEFT_OUT]
        files = [file for room in rooms for file in room.rglob("*")] + [self.folder / REPORT]
        return sorted(
            str(file.relative_to(self.folder)) for file in files if file.is_file() and _is_whole(file)
        )

    def _state(self) -> list[str]:
        """Files of the run folder itself: small, and only right together."""
        files = [file for file in self.folder.iterdir() if file.is_file() and _is_whole(file)]
        hidden = {file for file in files if file.name.startswith(".") and file.name != STAGING}
        return sorted(file.name for file in set(files) - hidden if file.name != REPORT)


@dataclass(frozen=True)
class State:
    """The state of a run as the storage has it.

    Attributes:
        content: of the files, by name.
        staging: names the folder that it was written from.
    """

    content: Mapping[str, bytes]
    staging: str

    def unpack(self, folder: Path) -> None:
        """Write the files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.content.items():
            (folder / name).write_bytes(content)


def read_state(objects: ObjectFolder) -> State | None:
    """The state of the run on the storage; None where there is no run.

    Raises:
        RequestError: what is there is no state of a run.
        OSError: the storage cannot be reached.
    """
    packed = objects.read(STATE)
    if packed is None:
        return None
    content: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None and "/" not in member.name and member.name not in (".", ".."):
                    content[member.name] = file.read()
    except tarfile.TarError:
        raise RequestError(f"{objects.url}/{STATE} is no state of a run; take it from a backup") from None
    return State(content, content.pop(STAGING, b"").decode(errors="replace"))


def fetch_parts(objects: ObjectFolder, folder: Path) -> None:
    """Fetch the files of a run's rooms, such as its weights."""
    for name in objects.names():
        if "/" in name and ".." not in name.split("/"):
            objects.fetch(name, folder / name)


def staging_name(folder: Path) -> str | None:
    """The name that a folder of this machine has in the states that were written from it."""
    try:
        return (folder / STAGING).read_text(encoding="utf-8")
    except OSError:
        return None


def holds_anything(objects: ObjectFolder) -> bool:
    """There is something, a driver's sign apart."""
    return any(name != SIGN for name in objects.names())


def _packed(folder: Path, names: list[str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            content = (folder / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _is_whole(file: Path) -> bool:
    return not file.name.endswith((".partial", ".lock"))


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size
