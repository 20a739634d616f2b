"""A real Ray cluster in this process: a search with bounds that hardly any network satisfies."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from reports.html.page import page
from search_spaces import SearchSpace, load_dict
from suite.data.store import LabelRange, Store
from suite.errors import RequestError
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, run_search
from suite.search.trial_factory import TrialFactory
from suite.search.tune import cluster_session, trainer
from suite.trial import TrialResult

AGES = LabelRange(0, 100, 1)


class Recorder:
    """A watcher that records in words what it was notified of."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, sentence: str) -> None:
        self.stages.append(sentence)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        pass

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


def space(store: Store, **changes: Any) -> SearchSpace:
    fields: dict[str, Any] = {
        "name": "bounded",
        "data": str(store.folder),
        "objectives": ["val_mae", "params"],
        "trials": 5,
        "confirm_seeds": 1,
        "sampler": "random",
        "base": {"epochs": 1, "resolution": 32, "batch_size": 32, "depths": [1] * 5},
        "vary": {"widths": [{"low": 2, "high": 64, "step": 2}] * 5},
        "latency": {"resolution": 64, "batch_size": 1, "rounds": 2},
    }
    return load_dict({**fields, **changes})


def smallest(store: Store) -> Mapping[str, int]:
    return {"params": TrialFactory(space(store), AGES).least_cost("params")}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bounds", "study.proposals"):
        monkeypatch.setattr(f"suite.search.{module}.MOST_IN_A_ROW", 15)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_a_search_that_finds_nothing_more_ends_with_a_sentence_and_what_it_has(
    store: Store, tmp_path: Path
) -> None:
    given = space(store, bounds=smallest(store), first=[{"widths": [2] * 5}])
    recorder = Recorder()
    resources = Resources(cpus_per_trial=0.5, max_concurrent=2)
    info = run_search(Search(given, store, tmp_path / "run", resources, recorder), "", [])
    run = read_run(tmp_path / "run")
    assert info.status == "finished"
    assert run.trials["status"].tolist() == ["finished"]
    assert run.trials["test_mae_years"].notna().all()
    assert info.out_of_bounds == run.info.out_of_bounds == 15
    assert info.ended_early == (
        f"15 suggestions in a row were out of bounds.params ({smallest(store)['params']:,}), so the search "
        "ended with 1 of 5 trials; raise a bound, or narrow the space to what keeps it"
    )
    assert info.ended_early in recorder.stages
    assert info.ended_early in page(run)


@pytest.mark.usefixtures("impatient")
def test_a_search_that_finds_nothing_at_all_is_an_error(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_session, "ray_session", lambda resources: nullcontext())
    monkeypatch.setattr(cluster_session, "_cluster_resources", lambda: {"CPU": 2.0})
    monkeypatch.setattr(trainer, "tune_trials", lambda search, searcher, *_: searcher.suggest("only"))
    given = space(store, bounds=smallest(store))
    with pytest.raises(RequestError, match=r"15 suggestions in a row .* ended with 0 of 5 trials"):
        run_search(Search(given, store, tmp_path / "run", Resources(), Recorder()), "", [])
    assert read_run(tmp_path / "run").info.status == "failed"


def test_a_grid_is_told_what_it_leaves_out(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_session, "ray_session", lambda resources: nullcontext())
    monkeypatch.setattr(cluster_session, "_cluster_resources", lambda: {"CPU": 2.0})
    asked: list[int] = []
    monkeypatch.setattr(
        trainer, "tune_trials", lambda search, searcher, share, at_once, left, stopping: asked.append(left)
    )
    fields = space(store, vary={"widths": {"choices": [[2] * 5, [4] * 5, [64] * 5]}}).to_dict()
    del fields["trials"], fields["confirm_seeds"]
    grid = load_dict({**fields, "sampler": "grid", "seeds": 2, "bounds": {"params": "50k"}})
    recorder = Recorder()
    info = run_search(Search(grid, store, tmp_path / "run", Resources(), recorder), "", [])
    assert asked == [4]
    assert (info.trials_asked, info.out_of_bounds) == (4, 2)
    assert "2 trainings of the grid are out of bounds and left out" in recorder.stages
