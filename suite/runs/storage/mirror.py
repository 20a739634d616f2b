"""A run folder on object storage, kept up to date from the local folder that the driver works in.

``state.tar`` holds the tables, the journals and ``run.json`` of one moment in a single object. It is replaced in one
step, and a search resumes from it. A file of weights is uploaded before the row that refers to it. The tables and
``run.json`` are uploaded separately as well, for people who read them with pandas. Checkpoints of trials in progress
follow from time to time, and are deleted when their trial has ended.
"""

import io
import tarfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from suite.errors import RequestError
from suite.files.atomic import is_temporary, write_atomically
from suite.files.tar_headers import BoundedInfo
from suite.runs.layout import CHECKPOINTS
from suite.runs.storage.lease import LEASE, Lease
from suite.runs.storage.object_storage import ObjectFolder

STATE = "state.tar"
REPORT = "report.html"
#: The file in the state that names the staging folder from which the state was last written.
STAGING = ".staging"
#: Subfolders that only the driver needs, and one that is uploaded on its own schedule.
EXCLUDED = ("tune", CHECKPOINTS)
#: Checkpoints are uploaded again when CHECKPOINT_INTERVAL times the last upload's duration has passed.
CHECKPOINT_INTERVAL = 20
#: Suffixes of the files of the state that are uploaded separately as well.
SEPARATE = (".json", ".parquet")
#: Modification time in nanoseconds and size in bytes, by which a changed file is recognised.
Stamp = tuple[int, int]


class Mirror:
    """Uploads what has changed in a run folder since the last upload."""

    def __init__(self, folder: Path, objects: ObjectFolder, lease: Lease, staging: str) -> None:
        """Prepare a mirror.

        Args:
            folder: The local run folder.
            objects: The run on the storage.
            lease: The lease of this process on it.
            staging: The name of the local folder in the state, by which it is recognised as the newest.
        """
        self.folder = folder
        self._objects, self._lease, self._staging = objects, lease, staging
        self._uploaded: dict[str, Stamp] = {}
        self._checkpoints_not_before = 0.0  # by time.monotonic()

    def mark_uploaded(self) -> None:
        """Take what is in the folder as what is on the storage, because it has been downloaded from there."""
        self._uploaded = {name: _stamp(self.folder / name) for name in (*self._parts(), *self._state())}
        self._uploaded |= self._checkpoints()

    def upload(self) -> None:
        """Make the storage equal to the folder: the weights first, then the state in one step.

        Raises:
            RequestError: Another driver has taken over the run, and nothing was written.
            OSError: The storage cannot be reached; it holds an earlier, complete state.
        """
        if staging_name(self.folder) != self._staging:
            write_atomically(self.folder / STAGING, self._staging)
        parts = {name: _stamp(self.folder / name) for name in self._parts()}
        state = {name: _stamp(self.folder / name) for name in self._state()}
        if (parts | state).items() <= self._uploaded.items():
            return
        self._lease.check()
        for name, stamp in parts.items():
            self._upload(name, stamp)
        if not state.items() <= self._uploaded.items():
            self._objects.write(STATE, _pack(self.folder, list(state)))
            for name, stamp in state.items():
                if name.endswith(SEPARATE):
                    self._upload(name, stamp)
            self._uploaded |= state
        if time.monotonic() >= self._checkpoints_not_before:
            self._upload_checkpoints()

    def _upload_checkpoints(self) -> None:
        began = time.monotonic()
        found = self._checkpoints()
        for name, stamp in found.items():
            with suppress(FileNotFoundError):  # its trial has just ended
                self._upload(name, stamp)
        ended_trials = [
            name for name in self._uploaded if name.startswith(f"{CHECKPOINTS}/") and name not in found
        ]
        for name in ended_trials:
            self._objects.delete(name)
            del self._uploaded[name]
        ended = time.monotonic()
        self._checkpoints_not_before = ended + CHECKPOINT_INTERVAL * (ended - began)

    def _checkpoints(self) -> dict[str, Stamp]:
        """Return the checkpoints in the folder at this moment; trials write and delete them at any time."""
        found: dict[str, Stamp] = {}
        for file in (self.folder / CHECKPOINTS).glob("*.pt"):
            with suppress(FileNotFoundError):
                found[f"{CHECKPOINTS}/{file.name}"] = _stamp(file)
        return found

    def _upload(self, name: str, stamp: Stamp) -> None:
        if self._uploaded.get(name) != stamp:
            self._objects.upload(name, self.folder / name)
            self._uploaded[name] = stamp

    def _parts(self) -> list[str]:
        """Return the names of the files in subfolders, and of the report."""
        subfolders = [
            entry for entry in self.folder.iterdir() if entry.is_dir() and entry.name not in EXCLUDED
        ]
        files = [file for folder in subfolders for file in folder.rglob("*")] + [self.folder / REPORT]
        return sorted(
            str(file.relative_to(self.folder)) for file in files if file.is_file() and _is_complete(file)
        )

    def _state(self) -> list[str]:
        """Return the names of the files directly in the run folder: small, and consistent only together."""
        files = [file for file in self.folder.iterdir() if file.is_file() and _is_complete(file)]
        hidden = {file for file in files if file.name.startswith(".") and file.name != STAGING}
        return sorted(file.name for file in set(files) - hidden if file.name != REPORT)


@dataclass(frozen=True)
class State:
    """The state of a run on the storage.

    Attributes:
        content: The content of its files, by name.
        staging: The name of the folder from which it was written.
    """

    content: Mapping[str, bytes]
    staging: str

    def unpack(self, folder: Path) -> None:
        """Write the files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.content.items():
            (folder / name).write_bytes(content)


def read_state(objects: ObjectFolder) -> State | None:
    """Read the state of the run on the storage; None if there is no run.

    Raises:
        RequestError: The object is not the state of a run.
        OSError: The storage cannot be reached.
    """
    packed = objects.read(STATE)
    if packed is None:
        return None
    content: dict[str, bytes] = {}
    try:
        packed_file = io.BytesIO(packed)
        # Never a compressed one.
        with tarfile.open(fileobj=packed_file, mode="r:", tarinfo=BoundedInfo) as archive:
            for member in archive:
                name = _plain_name(member)
                content[name] = _content(archive, member)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise RequestError(
            f"{objects.url}/{STATE} is not the state of a run ({str(error)[:100]}); restore it from a backup"
        ) from None
    return State(content, content.pop(STAGING, b"").decode(errors="replace"))


def download_parts(objects: ObjectFolder, folder: Path) -> None:
    """Download the files of a run's subfolders, such as its weights.

    Raises:
        OSError: The storage cannot be reached, or the folder cannot be written to.
    """
    for name in objects.names():
        # A key with an empty part would be an absolute path.
        if "/" in name and not any(part in ("", ".", "..") for part in name.split("/")):
            objects.download(name, folder / name)


def staging_name(folder: Path) -> str | None:
    """Return the name that a local folder has in the states that were written from it; None if it has none."""
    try:
        return (folder / STAGING).read_text(encoding="utf-8")
    except OSError:
        return None


def holds_anything(objects: ObjectFolder) -> bool:
    """Whether there is an object other than a driver's lease.

    Raises:
        OSError: The storage cannot be reached.
    """
    return any(name != LEASE for name in objects.names())


def _plain_name(member: tarfile.TarInfo) -> str:
    """Return the name of a member that is a file directly in the run folder, as ``_pack`` writes it.

    Raises:
        ValueError: It is a link, a folder or a device, or its name leads elsewhere.
    """
    name = member.name
    if not member.isreg() or not name or name in (".", "..") or any(part in name for part in "/\\\0"):
        raise ValueError(f"its member {name[:60]!r} is not a plain file")
    return name


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = b"" if file is None else file.read()
    if len(content) != member.size:
        raise ValueError(f"its member {member.name[:60]!r} is cut off")
    return content


def _pack(folder: Path, names: list[str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            content = (folder / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _is_complete(file: Path) -> bool:
    return not is_temporary(file) and file.suffix != ".lock"


def _stamp(file: Path) -> Stamp:
    status = file.stat()
    return status.st_mtime_ns, status.st_size
