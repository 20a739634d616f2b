"""The folder for what the suite must remember about this user's own work, between commands."""

import os
import stat
from pathlib import Path

from suite.files.paths import home_folder


def state_folder() -> Path:
    """Return the state folder, which may not exist yet.

    It is ``$SUITE_STATE``, or else ``suite`` in ``$XDG_STATE_HOME`` or ``~/.local/state``.
    """
    if chosen := os.environ.get("SUITE_STATE"):
        return Path(chosen)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else home_folder() / ".local" / "state") / "suite"


def is_private(folder: Path) -> bool:
    """Whether a folder is this user's, is no link, and nobody else may write to it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    others = stat.S_IWGRP | stat.S_IWOTH
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & others
