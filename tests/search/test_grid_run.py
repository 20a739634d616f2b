"""A grid from its space to its report, with a real Ray cluster: interrupted, resumed, compared."""

from pathlib import Path

import pytest

from reports.html.page import page
from reports.model.points import compare
from search_spaces import load_dict
from suite.data.store import Store
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, resume_search, run_search
from suite.trial import TrialResult


class StopsAfter:
    """A watcher that presses Ctrl-C when so many trials have ended."""

    def __init__(self, trials: int) -> None:
        self._left = trials

    def stage(self, sentence: str) -> None:
        pass

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        self._left -= ended is not None
        if ended is not None and self._left == 0:
            raise KeyboardInterrupt

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.slow
def test_a_grid_is_trained_once_each_across_an_interruption_and_compared(
    store: Store, tmp_path: Path
) -> None:
    space = load_dict(
        {
            "name": "small",
            "data": str(store.folder),
            "objectives": ["val_mae"],
            "sampler": "grid",
            "seed": 7,
            "seeds": 2,
            "base": {"epochs": 1, "resolution": 32, "batch_size": 32, "widths": [4] * 5, "depths": [1] * 5},
            "vary": {"method": {"choices": ["dex", "dldl-v2"]}},
            "latency": {"resolution": 64, "batch_size": 1, "rounds": 2},
        }
    )
    folder, resources = tmp_path / "run", Resources(cpus_per_trial=0.5, max_concurrent=1)
    first = run_search(Search(space, store, folder, resources, StopsAfter(2)), "small.yaml", ["suite"])
    assert first.status == "interrupted"
    kept = read_run(folder).trials
    assert resume_search(folder, {}, StopsAfter(100)).status == "finished"

    run = read_run(folder)
    trained = sorted(zip(run.trials["method"], run.trials["seed"], strict=True))
    assert trained == [("dex", 7), ("dex", 8), ("dldl-v2", 7), ("dldl-v2", 8)]
    merged = kept.merge(run.trials, on="id", suffixes=("_then", "_now"))
    assert len(merged) == len(kept) >= 2
    assert list(merged["started_then"]) == list(merged["started_now"])  # none was trained again
    comparison = compare(run)
    assert comparison is not None
    assert [sorted(point.errors) for point in comparison.points] == [[7, 8], [7, 8]]
    assert comparison.differences["dex"].interval.values == 2
    assert run.trials["test_mae_years"].notna().all()  # nothing was chosen, so nothing is left out
    assert set(comparison.points[0].measured["test_pearson"]) == {7, 8}
    assert "<h2>Comparison</h2>" in page(run)
