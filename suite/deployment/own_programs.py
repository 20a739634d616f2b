"""The programs (``.pt2``) that this user exported, recognised by their content.

Whoever opens a ``.pt2`` file runs code from it, so that only the user's own are opened without being asked. Nothing in
a file can show who wrote it. Instead, an export leaves an empty file, named for the SHA-256 of the program, in a folder
that nobody else may write to. Who can write there can run programs as this user already, so that a key would add
nothing.
"""

import hashlib
from pathlib import Path

from suite.files.state import is_private, state_folder

#: Those of this process, for an export where the folder cannot be written to.
_exported_here: set[str] = set()


def remember_program(program: bytes) -> None:
    """Remember a program that this process has made; ``is_remembered`` tells whether later processes will know it."""
    digest = _digest(program)
    _exported_here.add(digest)
    folder = records_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_private(folder):
            (folder / digest).touch()
    except (OSError, ValueError):  # such as a home folder that is read-only, or missing
        return


def is_own(program: bytes) -> bool:
    """Whether this user exported a program on this machine."""
    return _is_known(_digest(program))


def is_own_file(path: Path) -> bool:
    """Whether a file holds a program that this user exported on this machine; it is not read into memory as a whole.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return _is_known(hashlib.file_digest(file, "sha256").hexdigest())


def is_remembered(program: bytes) -> bool:
    """Whether there is a record that this user exported a program, which other processes of the user find as well."""
    return _has_record(_digest(program))


def records_folder() -> Path:
    """Return the folder with an empty file for each program, which may not exist yet."""
    return state_folder() / "exported"


def _is_known(digest: str) -> bool:
    return digest in _exported_here or _has_record(digest)


def _has_record(digest: str) -> bool:
    folder = records_folder()
    return is_private(folder) and (folder / digest).is_file()


def _digest(program: bytes) -> str:
    return hashlib.sha256(program).hexdigest()
