"""A cluster of three nodes, one of which dies in mid-search."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray.cluster_utils import Cluster

from search_spaces import load_dict
from suite.data.store import Store
from suite.runs import Resources, read_run
from suite.search.engine import Search, run_search
from suite.search.standing import Standing
from suite.trial import TrialResult
from tests.slow.conftest import SPACE


class KillsANode:
    """A watcher that takes a node away when two trials have ended."""

    def __init__(self, cluster: Cluster, node: Any) -> None:
        self._cluster, self._node = cluster, node
        self.ended: list[str] = []

    def stage(self, sentence: str) -> None:
        pass

    def change(self, standing: Standing, ended: TrialResult | None) -> None:
        if ended is None:
            return
        self.ended.append(ended.id)
        if len(self.ended) == 2:
            self._cluster.remove_node(self._node, allow_graceful=False)

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head and two nodes more, of one core each."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_trial_is_accounted_for_once(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    space = load_dict({**yaml.safe_load(SPACE.format(data=store.folder)), "trials": 9})
    watcher = KillsANode(cluster, nodes[0])
    resources = Resources(address=cluster.address, gpus_per_trial=0)
    info = run_search(Search(space, store, tmp_path / "run", resources, watcher), "small.yaml", ["suite"])
    run = read_run(tmp_path / "run")
    assert (info.status, info.max_concurrent) == ("finished", 3)
    assert len(run.trials) == 9
    assert run.trials["id"].is_unique
    assert sorted(run.trials["id"]) == sorted(watcher.ended)
    lost = run.trials[run.trials["status"] == "failed"]
    assert len(lost) <= 1
    assert lost["cause"].str.startswith("its worker process was lost").all()
    assert (run.trials["status"] == "finished").sum() == 9 - len(lost)
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "run" / "study.journal")))
    study = optuna.load_study(study_name="small", storage=storage)
    states = {f"t{trial.number:04d}": trial.state.name for trial in study.trials}
    told = {"finished": "COMPLETE", "failed": "FAIL"}
    assert states == {row["id"]: told[row["status"]] for row in run.trials.to_dict("records")}
