"""The folder for data that can be recomputed, kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the cache folder, which may not exist yet.

    It is ``$SUITE_CACHE``, or else ``suite`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    if chosen := os.environ.get("SUITE_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "suite"
