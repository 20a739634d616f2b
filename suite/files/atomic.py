"""Files that appear whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path`` and move into its place, so that no reader meets half a file."""
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # where the disk is full, it takes the room of what may yet be saved
        raise
