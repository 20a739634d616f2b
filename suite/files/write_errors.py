"""Why a file could not be written, in words that lead to the remedy."""

import errno
import os


def why_not_written(error: OSError) -> str:
    """Return the reason as a clause.

    A limit on the size of files (``ulimit -f``) is told as one, because no space that is freed helps against it.
    """
    if error.errno == errno.EFBIG:
        return "it would exceed the largest file that is allowed here, which 'ulimit -f' shows"
    return os.strerror(error.errno) if error.errno else str(error)
