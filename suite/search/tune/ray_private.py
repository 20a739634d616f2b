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
from ray._common.constants import HEAD_NODE_RESOURCE_NAME

#: Resources of an actor that runs on the head node and takes nothing from it, as Ray Train's own do. A head node that
#: is lost takes the whole cluster with it, so nothing more is lost with such an actor.
ON_HEAD_NODE = tune.PlacementGroupFactory([{HEAD_NODE_RESOURCE_NAME: 0.001}])
#: The part of the message of a ``ray.init`` that gave up waiting.
STARTUP_TIMED_OUT = "timed out during startup"
#: The same where its first server did not answer, as when two clusters chose one port at the same moment.
GCS_DID_NOT_START = "Failed to start GCS"


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


@contextmanager
def on_loopback() -> Iterator[None]:
    """Let a cluster that is started inside take 127.0.0.1 for the address of its node, and listen there only.

    Ray has this for systems other than Linux; ``ray.init`` would replace a loopback address by another.
    """
    constants: Any = importlib.import_module("ray._private.ray_constants")
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


def run_in_this_process(trainable: type[tune.Trainable], **settings: Any) -> None:
    """Call ``tune.run`` with its loop in this process, also where the driver is connected by ``ray://``.

    Tune would copy the keys of S3 from the environment into the runtime environments of its actors, which Ray writes
    to logs. The trials need no key: the driver alone uses the storage.
    """
    actors: Any = importlib.import_module("ray.tune.execution.class_cache")
    copied = actors.ENV_VARS_TO_PROPAGATE
    actors.ENV_VARS_TO_PROPAGATE = {name for name in copied if not name.startswith("AWS_")}
    try:
        tune.run(trainable, _remote=False, **settings)
    finally:
        actors.ENV_VARS_TO_PROPAGATE = copied
