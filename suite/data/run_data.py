"""The data that a run began with."""

from collections.abc import Callable
from pathlib import Path

from suite.data.faces.embedded import faces_store
from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.runs.info import RunInfo


def data_of_run(
    folder: Path, info: RunInfo, on_stage: Callable[[str], None], on_progress: Callable[[int, int], None]
) -> Store:
    """Open a run's data; the embedded faces are rendered anew where the cache lost them.

    Args:
        folder: the run, for the error.
        info: its ``run.json``.
        on_stage: told in a sentence that the faces are rendered.
        on_progress: told (done, of) while they are.

    Raises:
        RequestError: the data has gone, or is not what it was when the run began.
    """
    kept = Path(info.data.folder)
    if info.data.name == "faces" and not (kept / "store.json").exists():
        on_stage(f"rendering the faces again, which are gone from {kept}")
        store = faces_store(on_progress=on_progress)
    else:
        store = open_store(kept)
    if store.info.fingerprint != info.data.fingerprint:
        raise RequestError(
            f"the data in {store.folder} is not what {folder} began with (fingerprint "
            f"{store.info.fingerprint[:12]}, then {info.data.fingerprint[:12]}); put the old data back or "
            "start a new run"
        )
    return store
