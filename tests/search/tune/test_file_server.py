"""Trials on machines that do not see the driver's folders, on a real cluster of two nodes."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from reports.html.page import page
from search_spaces import load_dict
from suite.data.store import Store, open_store
from suite.networks.weights import load_network
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.search.engine import Search, run_search
from suite.search.tune.file_server import STORE_FILES, DriverFiles, FileServer, file_server
from tests.search.test_grid_run import StopsAfter
from tests.support.far_nodes import FarNode


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head that runs no trial: whatever is trained, is trained elsewhere."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture
def elsewhere(cluster: Cluster, store: Store, tmp_path: Path) -> Iterator[Path]:
    """A node with folders of its own in place of the store's and the run's; its cache is what is yielded."""
    (tmp_path / "runs").mkdir()
    node = FarNode.joined_to(cluster, [store.folder, tmp_path / "runs"], tmp_path / "cache")
    yield tmp_path / "cache"
    node.leave()


@pytest.mark.slow
def test_a_search_runs_where_no_folder_is_shared(
    cluster: Cluster, elsewhere: Path, store: Store, tmp_path: Path
) -> None:
    space = load_dict(
        {
            "name": "far",
            "data": str(store.folder),
            "objectives": ["val_mae", "params"],
            "sampler": "grid",
            "base": {"epochs": 1, "resolution": 32, "batch_size": 32, "widths": [4] * 5, "depths": [1] * 5},
            "vary": {"lambda_l1": {"choices": [0.1, 1.0]}, "label_step": {"choices": [1.0, 3.0]}},
            "latency": {"resolution": 64, "batch_size": 1, "rounds": 2},
        }
    )
    folder = tmp_path / "runs" / "far"
    resources = Resources(address=cluster.address, cpus_per_trial=1, gpus_per_trial=0)
    info = run_search(Search(space, store, folder, resources, StopsAfter(100)), "far.yaml", ["suite"])
    assert info.status == "finished"
    run = read_run(folder)
    by_step = run.trials.groupby("label_step")["status"].unique().to_dict()
    assert by_step == {1.0: ["finished"], 3.0: ["failed"]}  # 3 does not divide 100
    for trial_id in run.trials.loc[run.trials["status"] == "finished", "id"]:
        load_network(folder / "weights" / f"{trial_id}.safetensors")
    failed = run.trials.loc[run.trials["status"] == "failed", "id"].iloc[0]
    assert "Traceback" in (folder / "failures" / f"{failed}.txt").read_text()
    (copy,) = (elsewhere / "copies").glob("*/store.json")
    assert open_store(copy.parent).info == store.info
    assert "the front" in page(run)


@pytest.fixture(scope="module")
def connected(cluster: Cluster) -> Iterator[None]:
    """A driver of the cluster."""
    ray.init(address=cluster.address, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def asked(connected: None, store: Store, tmp_path: Path) -> Iterator[DriverFiles]:
    """The files as a process sees them that sees neither folder."""
    (tmp_path / "run").mkdir()
    with file_server(store, tmp_path / "run") as name:
        yield DriverFiles(
            str(tmp_path / "no store"), store.sampled_fingerprint, str(tmp_path / "no run"), name
        )


def test_a_copy_is_the_store_byte_for_byte_and_made_once(
    asked: DriverFiles, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("suite.search.tune.file_server.CHUNK_BYTES", 1000)
    copy = asked.open_store()
    assert copy.folder.is_relative_to(tmp_path / "cache")
    for name in STORE_FILES:
        assert (copy.folder / name).read_bytes() == (store.folder / name).read_bytes()
    made = (copy.folder / "images.npy").stat().st_mtime_ns
    assert asked.open_store().folder == copy.folder
    assert (copy.folder / "images.npy").stat().st_mtime_ns == made


def test_files_of_a_trial_come_to_lie_in_the_run_folder(asked: DriverFiles, tmp_path: Path) -> None:
    def write(path: Path) -> None:
        path.write_bytes(b"weights")
        path.with_suffix(".json").write_text("{}")

    another = tmp_path / "no run"  # of the same path on this machine, and of another search
    another.mkdir()
    (another / "run.json").write_text("{}")
    asked.save("weights/t0000.safetensors", write)
    there = tmp_path / "run" / "weights"
    assert {f.name: f.read_bytes() for f in there.iterdir()} == {
        "t0000.safetensors": b"weights",
        "t0000.json": b"{}",
    }
    assert [file.name for file in another.iterdir()] == ["run.json"]


def test_a_node_that_sees_the_run_folder_writes_there_itself(asked: DriverFiles, tmp_path: Path) -> None:
    seen: list[Path] = []
    dataclasses.replace(asked, run_folder=str(tmp_path / "run")).save("weights/t0000.txt", seen.append)
    assert seen == [tmp_path / "run" / "weights" / "t0000.txt"]


def test_what_a_killed_process_left_of_a_copy_is_cleared(
    asked: DriverFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    left = tmp_path / "cache" / "copies" / f".{asked.data[:32]}.partial-{os.getpid()}"
    left.mkdir(parents=True)
    (left / "images.npy").write_bytes(b"half")
    assert asked.open_store().sampled_fingerprint == asked.data
    assert not left.exists()


def test_chunks_put_together_are_the_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.search.tune.file_server.CHUNK_BYTES", 1000)
    monkeypatch.setattr(ray, "put", lambda chunk: chunk)
    chunks = FileServer(str(store.folder), str(tmp_path)).store_files()["labels.parquet"]
    assert b"".join(chunk.tobytes() for chunk in chunks) == (store.folder / "labels.parquet").read_bytes()
    assert {len(chunk) for chunk in chunks[:-1]} <= {1000}
