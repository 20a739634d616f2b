"""The private parts of Ray that the suite uses are still there; a failure names the version that broke one."""

import importlib
import inspect
from importlib import metadata
from pathlib import Path

import pytest
import ray
from ray import tune

from suite.search.tune import ray_private

VERSION = f"Ray {metadata.version('ray')}"


def test_tune_can_be_told_to_run_in_this_process() -> None:
    assert "_remote" in inspect.signature(tune.run).parameters, f"{VERSION} has no tune.run(_remote=...)"


def test_a_connection_by_ray_client_can_be_told() -> None:
    assert callable(ray.util.client.ray.is_connected), f"{VERSION} has no ray.util.client.ray.is_connected"
    assert not ray_private.is_client_connection()


def test_tune_asks_one_function_for_the_folder_that_it_stages_its_state_in() -> None:
    storage = importlib.import_module("ray.train._internal.storage")
    name = "_get_ray_train_session_dir"
    assert hasattr(storage, name), f"{VERSION} has no ray.train._internal.storage.{name}"
    is_called = f"{name}()" in inspect.getsource(storage)
    assert is_called, f"{VERSION} no longer calls {name}() in ray.train._internal.storage"


def test_a_start_that_went_wrong_by_chance_says_so_in_the_words_that_are_looked_for() -> None:
    texts = [
        path.read_text(encoding="utf-8") for path in (Path(ray.__file__).parent / "_private").glob("*.py")
    ]
    sources = "".join(texts).replace("{'start' if self.head else 'connect to'}", "start")
    for words in (ray_private.STARTUP_TIMED_OUT, ray_private.GCS_DID_NOT_START):
        assert words in sources, f"{VERSION} no longer says {words!r}"


def test_the_staging_folder_of_a_client_is_a_folder_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = importlib.import_module("ray.train._internal.storage")
    before = storage._get_ray_train_session_dir
    monkeypatch.setattr(ray_private, "is_client_connection", lambda: True)
    with ray_private.staging_folder_of_client():
        assert Path(storage._get_ray_train_session_dir()).is_dir()
    assert storage._get_ray_train_session_dir is before


def test_a_cluster_that_is_started_takes_the_loopback_address(monkeypatch: pytest.MonkeyPatch) -> None:
    services, constants = (
        importlib.import_module(f"ray._private.{name}") for name in ("services", "ray_constants")
    )
    monkeypatch.setattr(ray._private.worker, "_global_node", None)
    with ray_private.on_loopback():
        assert services.get_node_ip_address() == "127.0.0.1", f"{VERSION} has another switch for loopback"
    assert constants.ENABLE_RAY_CLUSTER


def test_tune_copies_no_key_to_its_actors(monkeypatch: pytest.MonkeyPatch) -> None:
    actors = importlib.import_module("ray.tune.execution.class_cache")
    name = "ENV_VARS_TO_PROPAGATE"
    assert "AWS_SECRET_ACCESS_KEY" in getattr(actors, name, ()), (
        f"{VERSION} has no {name} with the keys of S3"
    )
    copied: list[str] = []
    monkeypatch.setattr(tune, "run", lambda *_, **__: copied.extend(getattr(actors, name)))
    ray_private.run_in_this_process(tune.Trainable)
    assert copied
    assert not [variable for variable in copied if variable.startswith("AWS_")]
    assert "AWS_SECRET_ACCESS_KEY" in getattr(actors, name)


def test_the_head_node_has_a_resource_of_its_own() -> None:
    constants = importlib.import_module("ray._common.constants")
    assert hasattr(constants, "HEAD_NODE_RESOURCE_NAME"), f"{VERSION} has no name for the head's resource"
    assert ray_private.ON_HEAD_NODE.required_resources == {constants.HEAD_NODE_RESOURCE_NAME: 0.001}
