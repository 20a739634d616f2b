"""Paths that somebody typed or that a file names, looked at without the errors that ``pathlib`` has for strange ones.

``Path.resolve`` fails for a loop of links, a null byte and a current folder that was deleted; ``Path.exists`` for a
name that is too long and a folder that may not be entered; ``Path.home`` for a user whom the machine does not know.
Whoever opens the path afterwards reports what is wrong with it.
"""

import os
from pathlib import Path

#: What Debian calls the home of users who have none.
NO_HOME = "/nonexistent"


def resolved(path: Path | str) -> Path:
    """Return a path as an absolute one without links, as far as that can be known."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return Path(path)


def is_there(path: Path) -> bool:
    """Whether there is something at a path; False where that cannot be known."""
    return os.path.exists(path)


def home_folder() -> Path:
    """Return the home folder of this user; one that does not exist where the machine knows none."""
    home = os.path.expanduser("~")
    return Path(NO_HOME if home == "~" else home)
