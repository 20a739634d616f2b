"""The addresses of Ray clusters that this user has used, so that nobody else's file decides what is connected to.

A ``run.json`` names the cluster of its run. Whoever wrote the file chose the address, and a cluster can run programs on
those who join it. A run is resumed there only if this user has used the address before, or names it.
"""

import os
import shlex
from contextlib import suppress
from pathlib import Path

from suite.errors import RequestError
from suite.files.atomic import write_atomically
from suite.files.reading import FileContentError, read_text
from suite.files.state import is_private, state_folder

#: The file in the state folder, with one address a line. It is believed only where nobody else may write.
FILE = "ray-addresses"
LARGEST = 1_000_000  # bytes
#: Words that name no address of a file's author: this machine, or the cluster that this machine or RAY_ADDRESS names.
OF_THIS_USER = (None, "local", "auto")


def remember_address(address: str | None) -> None:
    """Note an address that the user named and that was connected to. A folder that cannot be written to is no fault."""
    known = _known()
    if address in OF_THIS_USER or address in known:
        return
    folder = state_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(folder / FILE, "".join(f"{one}\n" for one in [*known, str(address)]))


def check_address(address: str | None, folder: Path) -> None:
    """Refuse an address that only the file of a run names.

    Args:
        address: Of ``run.json``.
        folder: The run, for the error.

    Raises:
        RequestError: This user has not used the address from this machine.
    """
    if address in OF_THIS_USER or address == os.environ.get("RAY_ADDRESS") or address in _known():
        return
    raise RequestError(
        f"{folder} names the Ray cluster {address!r}, to which no search of yours has connected from here; if you "
        f"trust it, add --address {shlex.quote(str(address))}, else --address local"
    )


def _known() -> list[str]:
    folder = state_folder()
    if not is_private(folder):
        return []
    try:
        return read_text(folder / FILE, largest=LARGEST).splitlines()
    except (FileNotFoundError, FileContentError):
        return []
