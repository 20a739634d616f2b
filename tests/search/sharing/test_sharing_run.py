"""A search that shares weights, on a real Ray cluster: interrupted, resumed, confirmed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.html.page import page
from reports.model.confirmation_agreement import agreement
from reports.model.trials import summarise
from reports.text.sharing_report import sharing_lines
from search_spaces import SearchSpace, load_dict
from suite.data.store import Store
from suite.networks.weights import load_network
from suite.runs.info import Resources, RunInfo
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


def space(store: Store, **changes: Any) -> SearchSpace:
    return load_dict(
        {
            "name": "shared",
            "data": str(store.folder),
            "objectives": ["val_mae", "params"],
            "trials": 3,
            "confirm_seeds": 2,
            "confirm_epochs": "1x",
            "confirm_neighbours": 0,
            "base": {"epochs": 1, "resolution": 32, "batch_size": 32, "depths": [1, 1, 1, 1, 1]},
            "vary": {
                "widths": [{"choices": [4, 8]}, *[{"choices": [4]}] * 3, {"choices": [4, 8]}],
                "lambda_l1": {"low": 0.1, "high": 1.0},
            },
            "sharing": {"epochs": 2, "candidates": 4, "recalibration_images": 64, "confirm": "both"},
            "latency": {"resolution": 32, "batch_size": 1, "rounds": 2},
            **changes,
        }
    )


def search(store: Store, folder: Path, watcher: StopsWhileScoring, **changes: Any) -> RunInfo:
    resources = Resources(cpus_per_trial=1, max_concurrent=2)
    return run_search(Search(space(store, **changes), store, folder, resources, watcher), "s.yaml", ["suite"])


@pytest.mark.slow
def test_trials_start_from_slices_of_one_elastic_training(store: Store, tmp_path: Path) -> None:
    info = search(store, tmp_path / "run", StopsWhileScoring(armed=False), confirm_seeds=1)
    assert info.status == "finished"
    run = read_run(tmp_path / "run")
    trials = run.trials.set_index("id")
    scored = pd.read_parquet(tmp_path / "run" / "scored.parquet")
    assert len(scored) == 4  # all that there are
    assert np.isfinite(scored["val_mae_years"]).all()
    assert list(trials["stage"]) == ["elastic", "search", "search", "search"]
    assert (trials["status"] == "finished").all()
    searched = trials[trials["stage"] == "search"]
    assert set(searched["slice_of"]) == {"elastic"}
    assert searched.loc["t0000", "params"] == scored["params"].min()  # the front's ends are the first points

    largest, config, _ = load_network(tmp_path / "run" / "weights" / "elastic.safetensors")
    assert config.widths == (8, 4, 4, 4, 8)
    assert sum(p.numel() for p in largest.parameters()) == trials.loc["elastic", "params"]
    summary = summarise(run)
    assert {trial.slice_of for trial in summary.trials} == {"elastic"}
    assert summary.compressed == ()  # the elastic network is no product of compression
    html = page(run)
    assert 'value="slices" checked hidden' in html
    lines = sharing_lines(run)
    assert lines[0].startswith(
        "Elastic training elastic: 2 epochs of 3 networks a step, 6 epochs of networks trained"
    )
    assert lines[1].startswith("4 slices scored, ")
    assert "3 finished trials have a scored slice" in lines[2]


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_an_interrupted_search_scores_on_and_is_confirmed_by_whole_repetitions(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert search(store, folder, StopsWhileScoring()).status == "interrupted"
    assert list(read_run(folder).trials["stage"]) == ["elastic"]

    watcher = StopsWhileScoring(armed=False)
    assert resume_search(folder, {}, watcher).status == "finished"
    begun = sum(stage.startswith("training the elastic") for stage in watcher.stages)
    assert begun == 1  # those of the confirmation; the first is not trained again

    trials = read_run(folder).trials.set_index("id")
    confirmed = trials[trials["stage"] == "confirm"]
    assert set(confirmed["slice_of"].dropna()) == {"elastic-s1", "elastic-s2"}
    alone = confirmed[confirmed["slice_of"].isna()]
    assert set(confirmed.index) == {
        f"{name}{end}" for name in confirmed.index.difference(alone.index) for end in ("", "-alone")
    }
    assert set(alone["epochs"]) == {2 + 1}  # those of the elastic training and of the trial
    assert set(trials.index[trials["stage"] == "elastic"]) == {"elastic", "elastic-s1", "elastic-s2"}
    run = read_run(folder)
    assert summarise(run).is_confirmed
    assert "by the whole procedure: for each seed an elastic training" in page(run)
    agreed = agreement(run, summarise(run))
    assert agreed is not None
    assert len(agreed.members) == len(alone) / 2
