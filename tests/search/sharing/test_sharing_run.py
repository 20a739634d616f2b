"""A search that shares weights, on a real Ray cluster: interrupted, resumed, confirmed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.html.page import page
from search_spaces import SearchSpace, load_dict
from suite.data.store import Store
from suite.networks.weights import load_network
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, resume_search, run_search
from suite.trial import TrialResult


class StopsWhileScoring:
    """A watcher that presses Ctrl-C while the slices of a generation are scored."""

    def __init__(self, *, armed: bool = True) -> None:
        self.armed, self.stages = armed, list[str]()

    def stage(self, sentence: str) -> None:
        self.stages.append(sentence)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        pass

    def advance(self, done: int, of: int) -> None:
        if self.armed and self.stages[-1].startswith("scoring"):
            raise KeyboardInterrupt

    def close(self) -> None:
        pass


def space(store: Store) -> SearchSpace:
    return load_dict(
        {
            "name": "shared",
            "data": str(store.folder),
            "objectives": ["val_mae", "params"],
            "trials": 3,
            "confirm_seeds": 2,
            "base": {"epochs": 1, "resolution": 32, "batch_size": 32, "depths": [1, 1, 1, 1, 1]},
            "vary": {
                "widths": [{"choices": [4, 8]}, *[{"choices": [4]}] * 3, {"choices": [4, 8]}],
                "lambda_l1": {"low": 0.1, "high": 1.0},
            },
            "sharing": {"epochs": 2, "candidates": 4, "recalibration_images": 64},
            "latency": {"resolution": 32, "batch_size": 1, "rounds": 2},
        }
    )


@pytest.mark.timeout(480)
def test_trials_start_from_slices_across_an_interruption_and_are_confirmed_by_whole_repetitions(
    store: Store, tmp_path: Path
) -> None:
    folder, resources = tmp_path / "run", Resources(cpus_per_trial=1, max_concurrent=2)
    first = run_search(
        Search(space(store), store, folder, resources, StopsWhileScoring()), "s.yaml", ["suite"]
    )
    assert first.status == "interrupted"
    elastic = read_run(folder).trials
    assert list(elastic["stage"]) == ["elastic"]

    watcher = StopsWhileScoring(armed=False)
    assert resume_search(folder, {}, watcher).status == "finished"
    assert (
        sum(stage.startswith("training the elastic") for stage in watcher.stages) == 1
    )  # for the confirmation

    run = read_run(folder)
    scored = pd.read_parquet(folder / "scored.parquet")
    assert len(scored) == 4  # all that there are
    assert np.isfinite(scored["val_mae_years"]).all()
    trials = run.trials.set_index("id")
    assert set(trials["stage"]) == {"elastic", "search", "confirm"}
    assert (trials["status"] == "finished").all()
    searched = trials[trials["stage"] == "search"]
    assert set(searched["slice_of"]) == {"elastic"}
    assert searched["params"].iloc[0] == scored["params"].min()  # the front's ends are the first points
    confirmed = trials[trials["stage"] == "confirm"]
    assert set(confirmed["slice_of"]) == {"elastic-s1", "elastic-s2"}
    assert set(trials.index[trials["stage"] == "elastic"]) == {"elastic", "elastic-s1", "elastic-s2"}

    largest, config, _ = load_network(folder / "weights" / "elastic.safetensors")
    assert config.widths == (8, 4, 4, 4, 8)
    assert sum(p.numel() for p in largest.parameters()) == trials.loc["elastic", "params"]
    assert "elastic" in page(run)
