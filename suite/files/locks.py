"""Locks between processes, held by the kernel: a lock ends with the process that holds it, however it ends."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from suite.files.reading import open_at_once

#: Errors of a file system that has no locks.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


class FileLockedError(Exception):
    """Another process, or another thread of this one, holds the lock."""


@contextmanager
def file_lock(path: Path, *, wait: bool = False, required: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock on a file, which is created if it does not exist and stays afterwards.

    Args:
        path: The lock file.
        wait: Wait until the lock is free.
        required: Fail on a file system without locks. If False, go on there without a lock.

    Yields:
        Whether the lock is held: False only on a file system without locks, where it is not required.

    Raises:
        FileLockedError: The lock is held elsewhere, and ``wait`` is False.
        OSError: The file cannot be opened, or a required lock is not supported.
    """
    path.parent.stat()  # filelock would create a missing folder
    # A soft lock, filelock's own fallback, would outlive a killed process.
    lock = FileLock(path, blocking=wait, fallback_to_soft=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise FileLockedError(f"{path} is locked by another process") from None
    except OSError as error:
        if required or error.errno not in NO_LOCKS:
            raise
    try:
        yield lock.is_locked
    finally:
        lock.release()


def is_locked(path: Path) -> bool | None:
    """Whether a process holds the lock on a file.

    The file is only read, so the answer needs no permission to write.

    Returns:
        None if this cannot be known: the file does not exist, is no regular file, or its file system has no locks.
    """
    try:
        with open_at_once(path) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            # A shared lock, which filelock does not have: two processes that ask at once do not see each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
