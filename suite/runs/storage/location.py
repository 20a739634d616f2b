"""A run at its location: the path of a run folder, or an ``s3://`` URL."""

import tempfile
from pathlib import Path

from suite.commands import command
from suite.errors import RequestError
from suite.files.locks import is_locked
from suite.runs.layout import LOCK
from suite.runs.storage.lease import is_leased
from suite.runs.storage.mirror import REPORT, STATE, read_state
from suite.runs.storage.object_storage import explain_storage_errors, object_url, open_object_folder
from suite.runs.tables import Run, read_run


def read_run_at(location: Path | str) -> Run:
    """Read the run at a location, and change nothing there.

    Raises:
        RequestError: There is no run, or the storage cannot be used.
    """
    if isinstance(location, Path):
        return read_run(location)
    objects = open_object_folder(location)
    with explain_storage_errors(location):
        state = read_state(objects)
    if state is None:
        raise missing_run(location)
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        state.unpack(Path(folder))
        return read_run(Path(folder))


def has_driver(location: Path | str) -> bool | None:
    """Whether a driver is at work on the run at a location; None if this cannot be known.

    Raises:
        RequestError: The storage cannot be used.
    """
    if isinstance(location, Path):
        return is_locked(location / LOCK)
    objects = open_object_folder(location)
    with explain_storage_errors(location):
        return is_leased(objects)


def write_report_at(location: str, page: str) -> str:
    """Write the report of a run on object storage beside its tables, and return its URL.

    Raises:
        RequestError: The storage cannot be used.
    """
    objects = open_object_folder(location)
    with explain_storage_errors(location):
        objects.write(REPORT, page.encode())
    return object_url(location, REPORT)


def missing_run(location: str) -> RequestError:
    """Return the error for a URL at which there is no run."""
    return RequestError(
        f"{location} holds no run (no {STATE}); '{command('run', '--out', location)}' makes one"
    )
