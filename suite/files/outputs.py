"""Checks of the files that a command will write, made before any work is done for them."""

import errno
import os
from pathlib import Path

from suite.errors import RequestError
from suite.files.atomic import write_atomically
from suite.files.write_errors import why_not_written

#: Files of a run folder. Its reports and figures have other names.
FILES_OF_A_RUN = (
    "run.json",
    "study.journal",
    "rows.journal",
    "trials.parquet",
    "epochs.parquet",
    "scored.parquet",
)


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before any work is done for it.

    Raises:
        RequestError: The folder does not exist or cannot be written to, ``path`` is something else than a file, or it
            is one of packed data or of a run, which would be lost.
    """
    folder, number = path.parent, 0
    try:
        if not folder.is_dir():
            number = errno.ENOTDIR if folder.exists() else errno.ENOENT
        elif path.is_dir():
            number = errno.EISDIR
        elif path.is_symlink():  # a rename would replace the link, even that of /dev/stdout
            raise unwritable(path, "it is a link; name what it leads to")
        elif (folder / "store.json").exists():
            raise unwritable(path, "its folder holds packed data, and nothing else may be in it")
        elif path.name in FILES_OF_A_RUN and (folder / "run.json").exists():
            raise unwritable(path, "it is a file of a run, which would be lost")
        elif path.exists() and not path.is_file():  # a device or a pipe, which a rename would replace
            raise unwritable(path, "it is no regular file")
        elif not os.access(folder, os.W_OK | os.X_OK):
            number = errno.EACCES
    except OSError as error:  # the name is too long, or a folder above may not be entered
        number = error.errno or errno.EIO
    if number:
        raise unwritable(path, os.strerror(number))


def write_output(path: Path, text: str) -> None:
    """Write a file that the user asked for, whole or not at all.

    Raises:
        RequestError: It cannot be written.
    """
    try:
        write_atomically(path, text)
    except OSError as error:
        raise unwritable(path, why_not_written(error)) from None


def unwritable(path: Path, why: str) -> RequestError:
    """Return the error for a file that cannot be written."""
    return RequestError(
        f"{path} cannot be written ({why}); name a file in a folder that exists, has space left, and that you "
        "may write to"
    )
