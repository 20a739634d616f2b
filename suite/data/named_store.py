"""A packed data set by the name or folder that a user typed."""

from collections.abc import Callable
from pathlib import Path

from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.files.paths import is_there, resolved

#: The name of the embedded set.
FACES = "faces"


def named_store(name_or_folder: str | Path, on_progress: Callable[[int, int], None] | None = None) -> Store:
    """Open the embedded faces by their name, or a packed set by its folder.

    Args:
        name_or_folder: ``"faces"``, unless it is a ``Path`` with packed data; or a folder.
        on_progress: Called with (done, total) while faces are rendered.

    Raises:
        RequestError: The folder holds no whole data set, or the name is both that of the embedded set and of a folder.
    """
    if name_or_folder == "":  # as from --data "$UNSET"; resolved, it would be the current folder
        raise RequestError("the name of the data is empty; write faces, or the folder of packed data")
    if str(name_or_folder) == FACES:
        if not is_there(Path(FACES, "store.json")):
            from suite.data.faces.embedded import faces_store

            return faces_store(on_progress=on_progress)
        if isinstance(name_or_folder, str):
            raise RequestError(
                "faces is the embedded data set, and packed data here is in a folder of the same name; write ./faces "
                "for the folder, or rename it to use the embedded set"
            )
    return open_store(resolved(name_or_folder))
