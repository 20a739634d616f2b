"""The folder for data that can be recomputed, kept between runs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from suite.errors import RequestError
from suite.files.byte_count import byte_count
from suite.files.paths import home_folder
from suite.files.write_errors import why_not_written


def cache_folder() -> Path:
    """Return the cache folder, which may not exist yet.

    It is ``$SUITE_CACHE``, or else ``suite`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    if chosen := os.environ.get("SUITE_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else home_folder() / ".cache") / "suite"


@contextmanager
def writable_cache(part: str, *, needed: int = 0) -> Iterator[Path]:
    """Yield a subfolder of the cache to write into; an error of the disk inside becomes one sentence.

    Args:
        part: The name of the subfolder, which is made.
        needed: Bytes that will be written there.

    Raises:
        RequestError: The folder cannot be made or written to, or has less space than is needed.
    """
    folder = cache_folder() / part
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (free := shutil.disk_usage(folder).free) < needed:
            raise _unusable(f"{byte_count(free)} free, {byte_count(needed)} needed")
        yield folder
    except OSError as error:
        if error.errno is None:
            raise
        raise _unusable(why_not_written(error)) from None


def _unusable(reason: str) -> RequestError:
    return RequestError(
        f"the cache folder {cache_folder()} cannot be written to ({reason}); free some space there, or set "
        "SUITE_CACHE to a folder that you may write to"
    )
