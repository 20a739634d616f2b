"""The folder of a one-machine Ray cluster: short, closed to other users, and removed afterwards.

Ray's own default is below ``/tmp/ray``, where every user can read its logs, nothing is removed, and a long ``TMPDIR``
makes names that are too long for sockets.
"""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from suite.errors import RequestError
from suite.files.locks import file_lock, is_locked

PREFIX = "sray-"
LOCK = "lock"
#: The subfolder that Ray gets. Ray opens it to everybody (mode 0777), so it is the folder around it that is closed.
OF_RAY = "r"
#: Bytes of the longest path of a Unix socket.
LONGEST_SOCKET = 107
#: What Ray adds to the folder: a session with time and process id, and its longest socket, with a few bytes to spare.
ADDED_BY_RAY = len("/session_2026-11-28_21-12-34_209980_4194304/sockets/plasma_store.12")
#: ``tempfile`` adds eight letters to the prefix.
LONGEST_BASE = LONGEST_SOCKET - ADDED_BY_RAY - len(f"/{PREFIX}/{OF_RAY}") - 8
#: Seconds for which a folder without a lock may be one that is just being made.
YOUNG_SECONDS = 60.0


@contextmanager
def ray_folder() -> Iterator[Path]:
    """Yield the path of a folder for the files of a cluster, which Ray makes, and remove it at the end.

    The folder is in ``RAY_TMPDIR`` or ``TMPDIR`` if that is short enough, else in ``/tmp`` or a place like it. What
    killed drivers of this user have left there is removed as well.

    Raises:
        RequestError: There is no place for it.
    """
    folder = _made()
    with suppress(OSError):
        _sweep(folder.parent)
    try:
        with file_lock(folder / LOCK, required=False):
            yield folder / OF_RAY
    finally:
        _remove(folder)


def _made() -> Path:
    tried = []
    for base in _bases():
        if len(os.fsencode(base)) > LONGEST_BASE:
            tried.append(f"{base} (longer than {LONGEST_BASE} characters)")
            continue
        try:
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))  # with mode 0700
        except OSError as error:
            tried.append(f"{base} ({error.strerror})")
    raise RequestError(
        f"there is no folder for the sockets and logs of Ray; tried {', '.join(tried)}: set RAY_TMPDIR to a folder "
        f"that you may write to, with a name of at most {LONGEST_BASE} characters"
    )


def _bases() -> list[str]:
    named = [os.environ.get(name, "") for name in ("RAY_TMPDIR", "TMPDIR")]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return [os.path.abspath(base) for base in (*named, "/tmp", "/var/tmp", "/dev/shm", runtime) if base]


def _sweep(base: Path) -> None:
    """Remove the folders of drivers that were killed: no process holds their lock any more."""
    for folder in base.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            is_old = time.time() - found.st_mtime > YOUNG_SECONDS
            if is_ours and is_old and is_locked(folder / LOCK) is False:
                shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: Path) -> None:
    for _ in range(5):  # a process of Ray that is ending may still write
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
