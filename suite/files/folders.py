"""A store appears whole or not at all: it is made beside its place and moved there in one step."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from suite.errors import RequestError


@contextlib.contextmanager
def folder_beside(out: Path) -> Iterator[Path]:
    """A fresh folder next to ``out``, on the same disk; gone at the end unless it was moved."""
    folder = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        raise RequestError(
            f"{out.parent} cannot be written to ({error.strerror}); name another folder"
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_into_place(folder: Path, out: Path) -> None:
    """Move a whole store to its place; one that was there is deleted after that, or put back if it fails."""
    old = out.with_name(f".{out.name}.old-{os.getpid()}")
    if out.exists():
        out.rename(old)
    try:
        folder.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
