"""Open the data set that a command names."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suite.data.store import Store

DATA_HELP = "data set: faces (embedded), or the folder of a packed one"


def open_data(name: str) -> "Store":
    """Open an embedded data set by its name, or a packed one by its folder.

    Raises:
        RequestError: There is no such data set, or it is not whole.
    """
    from suite.api import load_store
    from suite.cli.progress import CountedProgress

    return load_store(name, on_progress=CountedProgress("rendering faces (once; then from the cache)"))
