"""The run folder as a driver takes it: free or refused, and its own alone for as long as it works."""

import contextlib
import errno
import fcntl
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from suite.errors import RequestError
from suite.runs.layout import STUDY_JOURNAL

LOCK = ".lock"
ROOMS = ("weights", "tune")
#: What the system says of a disk without room, a quota, a file of a size that is not allowed, a folder that
#: is not to be written to, and a disk that is broken.
UNWRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
)


def check_free(folder: Path) -> None:
    """Refuse a folder that holds anything but what a driver left that was killed before its ``run.json``.

    Raises:
        RequestError: it does, or it cannot be a folder.
    """
    with _usable(folder):
        taken = folder.exists() and not all(_of_no_run(entry) for entry in folder.iterdir())
    if taken:
        raise RequestError(
            f"{folder} is not empty; choose another --out, or continue the run in it with "
            f"'suite resume {folder}'"
        )


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make the folder of a new run; it is this driver's inside.

    Nothing of it is left where the request is refused before the first trial was suggested.

    Raises:
        RequestError: it cannot be written to, or another search took it in the meantime.
    """
    with _usable(folder):
        was_there = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        check_free(folder)
        with _usable(folder):
            for room in ROOMS:
                (folder / room).mkdir(exist_ok=True)
        try:
            yield
        except RequestError:
            if not (folder / STUDY_JOURNAL).exists():
                _clear(folder, keep=was_there)
            raise


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """No other driver works in the folder inside; the kernel lets go of it when this process dies.

    Raises:
        RequestError: another driver does.
    """
    with _usable(folder):
        file = (folder / LOCK).open("a")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RequestError(
                f"a search is at work in {folder}; wait until it, or the 'suite compress' that it may be, "
                "has ended, or stop it with Ctrl-C first"
            ) from None
        except OSError:  # a file system without locks: as good as it gets
            pass
        yield


@contextmanager
def written(folder: Path, again: str = "") -> Iterator[None]:
    """A run folder that can no longer be written to ends the work inside with one sentence.

    Args:
        folder: the run.
        again: how the work is gone on with; ``suite resume`` unless something else is said.

    Raises:
        RequestError: so it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise not_writable(folder, os.strerror(error.errno), again) from error


def not_writable(folder: Path, why: str, again: str = "") -> RequestError:
    """A run folder could not be written to in the middle of the work."""
    again = again or f"'suite resume {shlex.quote(str(folder))}'"
    return RequestError(
        f"{folder} cannot be written to ({why.rstrip('.')}); what had ended is kept there: make room, or "
        f"mend its rights, and go on with {again}"
    )


def _of_no_run(entry: Path) -> bool:
    empty_room = entry.name in ROOMS and entry.is_dir() and not any(entry.iterdir())
    return empty_room or entry.name in {LOCK, "run.json.partial"}


def _clear(folder: Path, *, keep: bool) -> None:
    with contextlib.suppress(OSError):  # somebody put something there: it stays
        for room in ROOMS:
            (folder / room).rmdir()
        for file in ("run.json", LOCK):
            (folder / file).unlink(missing_ok=True)
        if not keep:
            folder.rmdir()


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be a run folder ({error.strerror}); choose another, which you may write to"
        ) from None
