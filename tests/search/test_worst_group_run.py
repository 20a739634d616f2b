"""A search with the error of the worst group as an objective and a bound, and data that names no groups."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.html.page import page
from reports.model.trials import summarise
from search_spaces import SearchSpace, load_dict
from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.runs.info import Resources
from suite.runs.tables import read_predictions, read_run
from suite.search.engine import Search, run_search
from suite.search.run_info import new_run_info
from tests.search.test_bounds_run import Recorder


def space(store: Store, **changes: Any) -> SearchSpace:
    fields: dict[str, Any] = {
        "name": "fair",
        "data": str(store.folder),
        "objectives": ["val_mae", "worst_group_mae", "params"],
        "trials": 4,
        "confirm_seeds": 2,
        "base": {"epochs": 2, "resolution": 32, "batch_size": 32, "depths": [1] * 5},
        "vary": {"widths": [{"low": 2, "high": 16, "step": 2}] * 5},
        "stopping": {"rule": "front", "grace_epochs": 1},
        "latency": {"resolution": 64, "batch_size": 1, "rounds": 2},
    }
    return load_dict({**fields, **changes})


def with_gender(store: Store, folder: Path) -> Store:
    shutil.copytree(store.folder, folder)
    labels = pd.read_parquet(folder / "labels.parquet")
    labels.assign(gender=np.where(np.arange(240) % 2, "female", "male")).to_parquet(folder / "labels.parquet")
    return open_store(folder)


@pytest.mark.parametrize(
    ("changes", "place"),
    [({}, "objectives"), ({"objectives": ["val_mae", "params"], "bounds": {"worst_group_mae": 9}}, "bounds")],
)
def test_data_without_groups_is_refused_with_the_remedy(
    store: Store, tmp_path: Path, changes: Any, place: str
) -> None:
    search = Search(space(store, **changes), store, tmp_path / "run", Resources(), Recorder())
    with pytest.raises(RequestError) as refused:
        new_run_info(search, "fair.yaml", [])
    assert str(refused.value) == (
        f"worst_group_mae is in {place}, and {store.folder} names no groups of people; leave it out, or pack data "
        "with a column such as gender and more people in each of its groups"
    )


def test_data_with_groups_that_are_too_small_is_refused_with_their_names(
    store: Store, tmp_path: Path
) -> None:
    given = with_gender(store, tmp_path / "data")
    labels = given.labels.assign(subject=[f"person-{image % 30}" for image in range(240)])
    labels.to_parquet(given.folder / "labels.parquet")
    search = Search(space(given), open_store(given.folder), tmp_path / "run", Resources(), Recorder())
    with pytest.raises(
        RequestError, match=r"no group of 20 people or more on validation \(gender\); leave it out"
    ):
        new_run_info(search, "fair.yaml", [])


@pytest.mark.slow
def test_a_search_finds_the_front_over_it_and_confirms_tests_and_reports_it(
    store: Store, tmp_path: Path
) -> None:
    given = with_gender(store, tmp_path / "data")
    search = Search(
        space(given, bounds={"worst_group_mae": 1000}),
        given,
        tmp_path / "run",
        Resources(cpus_per_trial=0.5, max_concurrent=2),
        Recorder(),
    )
    run_search(search, "", [])
    run = read_run(tmp_path / "run")
    searched = run.trials[run.trials["status"] != "failed"]
    assert set(searched["val_worst_group"]) <= {"gender female", "gender male"}
    assert (searched["val_worst_group_mae_years"] >= searched["val_mae_years"]).all()
    assert (searched["val_worst_group_people"] == 20).all()
    assert run.epochs["val_worst_group_mae_years"].notna().all()
    confirmed = run.trials[run.trials["stage"] == "confirm"]
    assert len(confirmed)
    for row in confirmed.to_dict("records"):
        table = read_predictions(run.folder, row["id"])
        assert table is not None
        test = table[table["split"] == "test"]
        by_group = (test["estimate"] - test["label"]).abs().groupby(test["gender"]).mean()
        assert row["test_worst_group"] == f"gender {by_group.idxmax()}"
        assert row["test_worst_group_mae_years"] == pytest.approx(by_group.max(), rel=1e-4)
    assert set(run.info.cost_ranges) == {"params"}
    assert run.info.data.constant_worst_group_mae is not None
    summary = summarise(run)
    assert summary.best is not None
    assert summary.best.worst_group is not None
    assert "validation MAE of the worst group" in page(run)
