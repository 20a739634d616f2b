"""The run folder as a driver uses it: created or refused, and locked while the driver works."""

import contextlib
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from suite.commands import command
from suite.errors import RequestError
from suite.files.atomic import is_temporary
from suite.files.locks import FileLockedError, file_lock
from suite.files.paths import is_there
from suite.files.write_errors import why_not_written
from suite.runs.layout import CHECKPOINTS, LOCK, PREDICTIONS, STUDY_JOURNAL

#: Folders that are created with the run folder.
SUBFOLDERS = ("weights", "tune")
#: Errors that a user can fix: a full disk, a quota, a file size limit, missing permissions, a broken disk.
UNWRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
)


def check_unused(folder: Path) -> None:
    """Check that a folder may become a run folder.

    It may hold only what a driver leaves that is killed before it writes ``run.json``.

    Raises:
        RequestError: The folder holds something else, or the path cannot be a folder.
    """
    with _explain_unusable(folder):
        used = folder.exists() and not all(_precedes_run(entry) for entry in folder.iterdir())
    if used:
        raise RequestError(
            f"{folder} is not empty; choose another --out, or continue the run in it with "
            f"'{command('resume', folder)}'"
        )


@contextmanager
def new_run_folder(folder: Path) -> Iterator[None]:
    """Create the folder of a new run, and hold its lock inside.

    If the request is refused before the first trial is suggested, nothing of the folder is left.

    Raises:
        RequestError: The folder cannot be written to, or another search has started in it.
    """
    with _explain_unusable(folder):
        existed = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    with lock_run_folder(folder):
        check_unused(folder)
        with _explain_unusable(folder):
            for name in SUBFOLDERS:
                (folder / name).mkdir(exist_ok=True)
        try:
            yield
        except RequestError:
            if not (folder / STUDY_JOURNAL).exists():
                _clear(folder, keep=existed)
            raise


@contextmanager
def lock_run_folder(folder: Path) -> Iterator[None]:
    """Keep other drivers out of the run folder. The lock ends with this process, even if it is killed.

    A file system without locks is used without one. Where the lock is held, temporary files that a killed driver
    left are deleted.

    Raises:
        RequestError: Another driver holds the lock, or the folder cannot be written to.
    """
    with contextlib.ExitStack() as stack:
        try:
            with _explain_unusable(folder):
                is_held = stack.enter_context(file_lock(folder / LOCK, required=False))
        except FileLockedError:
            raise RequestError(
                f"a search is at work in {folder}; wait until it, or the 'suite compress' that it may be, "
                "has ended, or stop it with Ctrl-C first"
            ) from None
        if is_held:  # else the files may be those of a driver at work
            _delete_temporary_files(folder)
        yield


@contextmanager
def explain_write_errors(folder: Path, resume: str = "") -> Iterator[None]:
    """Turn errors of a run folder that can no longer be written to into one sentence.

    Args:
        folder: The run folder.
        resume: How to continue the work; by default with ``suite resume``.

    Raises:
        RequestError: The folder cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOENT and not is_run(folder):
            raise gone_error(folder) from error
        if error.errno not in UNWRITABLE:
            raise
        raise write_error(folder, why_not_written(error), resume) from error


def write_error(folder: Path, cause: str, resume: str = "") -> RequestError:
    """Return the error for a run folder that cannot be written to in the middle of the work."""
    resume = resume or f"'{command('resume', folder)}'"
    return RequestError(
        f"{folder} cannot be written to ({cause.rstrip('.')}); what has ended is kept there: free space, or "
        f"correct its permissions, and continue with {resume}"
    )


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run, by the file that is there from its beginning to its end."""
    return is_there(folder / "run.json")


def gone_error(folder: Path) -> RequestError:
    """Return the error for a run folder that was deleted, moved or emptied while a process worked in it.

    Writing goes on nowhere: a folder made anew would have neither the lock nor the earlier rows.
    """
    return RequestError(
        f"{folder} was deleted or moved while a search worked in it; if it was moved, put it back and continue "
        f"with '{command('resume', folder)}', else start a new run"
    )


def _delete_temporary_files(folder: Path) -> None:
    if not is_run(folder):
        return  # not a run folder yet: its files may be the user's
    for name in (".", "weights", CHECKPOINTS, PREDICTIONS):
        for file in (folder / name).glob("*"):
            # 'suite report' writes without the lock, so a temporary report may be one that is being written.
            if is_temporary(file) and not file.name.startswith(".report.html."):
                with contextlib.suppress(OSError):  # a folder, or no permission: it does no harm
                    file.unlink()


def _precedes_run(entry: Path) -> bool:
    """Whether an entry of the folder may be there before ``run.json`` is."""
    is_empty_subfolder = entry.name in SUBFOLDERS and entry.is_dir() and not any(entry.iterdir())
    is_partial_info = is_temporary(entry) and entry.name.lstrip(".").startswith("run.json.")
    return is_empty_subfolder or is_partial_info or entry.name == LOCK


def _clear(folder: Path, *, keep: bool) -> None:
    with contextlib.suppress(OSError):  # something else has been put there, and stays
        for name in SUBFOLDERS:
            (folder / name).rmdir()
        for file in (*folder.glob(".run.json.*.partial"), folder / "run.json", folder / LOCK):
            file.unlink(missing_ok=True)
        if not keep:
            folder.rmdir()


@contextmanager
def _explain_unusable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be a run folder ({error.strerror}); choose another that you may write to"
        ) from None
