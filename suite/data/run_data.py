"""Opening the data of a run again."""

from collections.abc import Callable
from pathlib import Path

from suite.data.faces.embedded import faces_store
from suite.data.named_store import FACES, named_store
from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.files.paths import is_there, resolved
from suite.runs.info import RunInfo


def data_of_run(
    folder: Path,
    info: RunInfo,
    on_stage: Callable[[str], None],
    on_progress: Callable[[int, int], None],
    data: str | None = None,
) -> Store:
    """Open a run's data, rendering the embedded faces again where they are no longer in the cache.

    Args:
        folder: The run, for the error.
        info: Its ``run.json``.
        on_stage: Called with a sentence before the faces are rendered.
        on_progress: Called with the number of images done and of all while they are rendered.
        data: Where the data is now, as for ``suite run --data``; None: where the run began.

    Raises:
        RequestError: The data is missing, or differs from the data that the run began with.
    """
    kept = Path(info.data.folder if data is None else data)
    if data == FACES:
        store = named_store(data, on_progress)
    elif info.data.name == FACES and not is_there(kept / "store.json"):
        on_stage(f"rendering the faces again, which are no longer in {kept}")
        store = faces_store(on_progress=on_progress)
    elif data is None and not is_there(kept / "store.json"):
        raise RequestError(
            f"the data of {folder} is no longer in {kept}; if it was moved, name its folder with --data"
        )
    else:
        store = open_store(resolved(kept))
    for now, then in (
        (store.info.fingerprint, info.data.fingerprint),
        (store.sampled_fingerprint, info.data.sampled_fingerprint or store.sampled_fingerprint),
    ):
        if now != then:
            raise RequestError(
                f"the data in {store.folder} is not what {folder} began with (fingerprint {now[:12]}, then "
                f"{then[:12]}); put the old data back or start a new run"
            )
    return store
