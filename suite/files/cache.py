"""Where data that can be made again is kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$SUITE_CACHE``, else ``suite`` below ``$XDG_CACHE_HOME`` or ``~/.cache``; it may not exist yet."""
    if chosen := os.environ.get("SUITE_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "suite"
