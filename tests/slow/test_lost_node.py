"""Clusters whose nodes leave and join in mid-search."""

from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray.cluster_utils import Cluster

from search_spaces import load_dict
from suite.data.store import Store
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, run_search
from suite.search.study.repeats import is_repeat
from suite.trial import TrialResult
from tests.support.drivers import SPACE


class AfterTwoTrials:
    """A watcher that does something to the cluster when two trials have ended."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self.ended: list[str] = []
        self.at_once = [0, 0]  # most trials that trained at once, before and after

    def stage(self, sentence: str) -> None:
        pass

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        acted = len(self.ended) >= 2
        self.at_once[acted] = max(self.at_once[acted], progress.running)
        if ended is None:
            return
        self.ended.append(ended.id)
        if len(self.ended) == 2:
            self._act()

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head of one core."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_trial_is_accounted_for_once(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    space = load_dict({**yaml.safe_load(SPACE.format(data=store.folder)), "trials": 9})
    watcher = AfterTwoTrials(lambda: cluster.remove_node(nodes[0], allow_graceful=False))
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
    states = {f"t{trial.number:04d}": trial.state.name for trial in study.trials if not is_repeat(trial)}
    told = {"finished": "COMPLETE", "failed": "FAIL"}
    assert states == {row["id"]: told[row["status"]] for row in run.trials.to_dict("records")}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_node_that_joins_trains_with_the_others(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    fields = yaml.safe_load(SPACE.format(data=store.folder))
    # Of some length each: a process that is warm takes the next short trial before another has started.
    space = load_dict({**fields, "trials": 5, "base": {**fields["base"], "epochs": 200}})
    watcher = AfterTwoTrials(lambda: cluster.add_node(num_cpus=1))
    resources = Resources(address=cluster.address, gpus_per_trial=0, max_concurrent=2)
    info = run_search(Search(space, store, tmp_path / "run", resources, watcher), "small.yaml", ["suite"])
    assert info.status == "finished"
    assert watcher.at_once == [1, 2]
    assert (read_run(tmp_path / "run").trials["status"] == "finished").all()
