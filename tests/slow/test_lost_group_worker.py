"""An elastic training shared by workers on nodes that share no folder, one of which is lost in mid-training."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ray.cluster_utils import Cluster

from search_spaces import SearchSpace, load_dict
from suite.data.dataset import load_dataset
from suite.data.store import Store
from suite.errors import RequestError
from suite.networks.elastic import ElasticSpace
from suite.networks.weights import load_network
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, run_search
from suite.search.sharing.elastic_training import elastic_proposal
from suite.search.trial_factory import TrialFactory
from suite.training.elastic import Sharing, fit_elastic
from suite.trial import TrialResult
from tests.support.far_nodes import FarNode

EPOCHS = 12
#: A rate at which differences by rounding stay small; at ten times this rate they grow to percents in any training.
LEARNING_RATE = 0.001
#: Of a loss or an error, relative to that of one process with the same batches, in 60 steps; 2e-4 was measured.
TOLERANCE = 1e-3


class KillsNode:
    """A watcher that kills the first node when the third epoch has ended, and presses Ctrl-C when the training has."""

    def __init__(self, nodes: Sequence[FarNode]) -> None:
        self._nodes = nodes
        self.killed_at = 0
        self.trained_before = 0  # nodes that trained when one was killed

    def stage(self, sentence: str) -> None:
        if sentence.startswith("scoring"):
            raise KeyboardInterrupt

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        epoch = progress.trainings[0].epoch if progress.trainings else 0
        if epoch >= 3 and not self.killed_at:
            self.killed_at = epoch
            self.trained_before = sum(node.is_training for node in self._nodes)
            self._nodes[0].kill()

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head that trains nothing."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield made
    made.shutdown()


def space(store: Store, workers: int) -> SearchSpace:
    return load_dict(
        {
            "name": "together",
            "data": str(store.folder),
            "objectives": ["val_mae", "params"],
            "trials": 2,
            "base": {
                "epochs": 1,
                "resolution": 32,
                "batch_size": 32,
                "depths": [1] * 5,
                "precision": "float32",
            },
            "vary": {"widths": [{"choices": [4, 8]}, *[{"choices": [4]}] * 3, {"choices": [4, 8]}]},
            "sharing": {
                "epochs": EPOCHS,
                "learning_rate": LEARNING_RATE,
                "workers": workers,
                "candidates": 4,
                "recalibration_images": 64,
            },
        }
    )


def curve_of_one_process(searched: SearchSpace, store: Store) -> pd.DataFrame:
    """The training of the space's elastic network in this process."""
    trials = TrialFactory(searched, store.info.attributes["age"])
    proposal: Any = elastic_proposal(trials, searched.seed)
    elastic, config = proposal.elastic, proposal.config
    training = fit_elastic(
        config,
        ElasticSpace(elastic.widths, elastic.depths),
        load_dataset(store, "age", config.resolution),
        Sharing(elastic.random_slices, elastic.distillation, elastic.recalibration_images),
        threads=1,
        device="cpu",
    )
    rows = [(epoch.epoch, epoch.train_loss, epoch.validation.mae) for epoch in training]
    return pd.DataFrame(rows, columns=["epoch", "train_loss", "val_mae_years"])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [2, 3])
def test_the_others_go_on_to_the_curve_of_one_process(
    cluster: Cluster, store: Store, tmp_path: Path, count: int
) -> None:
    (tmp_path / "runs").mkdir()
    hidden = [store.folder, tmp_path / "runs"]
    nodes = [FarNode.joined_to(cluster, hidden, tmp_path / f"cache{which}") for which in range(count)]
    folder, searched, watcher = tmp_path / "runs" / "run", space(store, count), KillsNode(nodes)
    resources = Resources(address=cluster.address, gpus_per_trial=0)
    try:
        info = run_search(Search(searched, store, folder, resources, watcher), "together.yaml", ["suite"])
    finally:
        for node in nodes[1:]:
            node.leave()
    assert info.status == "interrupted"
    assert watcher.trained_before == count
    assert 3 <= watcher.killed_at < EPOCHS
    run = read_run(folder)
    assert list(run.trials["status"]) == ["finished"]
    load_network(folder / "weights" / "elastic.safetensors")
    curve, alone = run.epochs.set_index("epoch"), curve_of_one_process(searched, store).set_index("epoch")
    assert list(curve.index) == list(range(1, EPOCHS + 1))
    for column in ("train_loss", "val_mae_years"):
        print(f"{column}: largest difference {(curve[column] / alone[column] - 1).abs().max():.1e}")
        assert list(curve[column]) == pytest.approx(list(alone[column]), rel=TOLERANCE)


@pytest.mark.slow
def test_a_cluster_with_too_few_places_is_refused_before_anything_starts(
    cluster: Cluster, store: Store, tmp_path: Path
) -> None:
    cluster.add_node(num_cpus=2)
    search = Search(
        space(store, 3),
        store,
        tmp_path / "run",
        Resources(address=cluster.address),
        KillsNode(()),
    )
    with pytest.raises(
        RequestError, match=r"sharing.workers is 3 and the cluster has cores for 2; lower it to 2"
    ):
        run_search(search, "together.yaml", ["suite"])
    assert not (tmp_path / "run").exists()
