"""The private parts of Ray that the suite uses; a new version of Ray may change them.

``tests/search/tune/test_ray_private.py`` names the installed version where one of them has gone.
"""

import importlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray import tune

#: The part of the message of a ``ray.init`` that gave up waiting.
STARTUP_TIMED_OUT = "timed out during startup"


def is_client_connection() -> bool:
    """Return whether the driver is connected by ``ray://``, and so runs on no node of the cluster."""
    connected: bool = ray.util.client.ray.is_connected()  # type: ignore[no-untyped-call]
    return connected


@contextmanager
def staging_folder_of_client() -> Iterator[None]:
    """Give Tune a folder to stage its state in where the driver is connected by ``ray://``.

    Tune asks the driver's node for that folder, and such a driver is on no node. Ray's own answer is to run
    Tune's loop on the cluster, and with it the study and the tables, which belong to the driver.
    """
    if not is_client_connection():
        yield
        return
    storage: Any = importlib.import_module("ray.train._internal.storage")
    folder_of_node = storage._get_ray_train_session_dir
    with tempfile.TemporaryDirectory(prefix="suite-tune-") as folder:
        storage._get_ray_train_session_dir = lambda: folder
        try:
            yield
        finally:
            storage._get_ray_train_session_dir = folder_of_node


def run_in_this_process(trainable: type[tune.Trainable], **settings: Any) -> None:
    """Call ``tune.run`` with its loop in this process, also where the driver is connected by ``ray://``."""
    tune.run(trainable, _remote=False, **settings)
