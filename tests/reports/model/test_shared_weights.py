"""What a run says of its weight sharing, as numbers."""

import dataclasses
import math
import os
from pathlib import Path

import pandas as pd
import pytest

from reports.model.shared_weights import SharedWeights, shared_weights
from reports.model.sharing_data import MOST_OF_FRONT, MOST_OTHERS, sharing_data
from reports.model.sharing_text import ranking_sentence
from reports.model.trials import summarise
from suite.runs.tables import Run
from suite.statistics.rank_correlation import kendall_tau
from tests.support.shared_runs import shared_run
from tests.support.synthetic_runs import MakeRun


def shared_of(run: Run) -> SharedWeights:
    found = shared_weights(run, summarise(run))
    assert found is not None
    return found


def test_a_run_without_sharing_has_none(make_run: MakeRun) -> None:
    run = make_run(trials=3)
    assert shared_weights(run, summarise(run)) is None


def test_each_finished_trial_is_paired_with_its_scored_slice(make_run: MakeRun) -> None:
    run = shared_run(make_run, trials=12, slices=60)
    found = shared_of(run)
    trials = run.trials.set_index("id")
    scored = pd.read_parquet(run.folder / "scored.parquet")
    assert len(found.pairs) == 12
    for number, pair in enumerate(sorted(found.pairs, key=lambda pair: pair.trial)):
        assert pair.sliced == scored["val_mae_years"][number]  # the first slices are the trials' own
        assert pair.tuned == trials.loc[pair.trial, "val_mae_years"]
    assert found.ranking is not None
    assert found.ranking.tau == kendall_tau([p.sliced for p in found.pairs], [p.tuned for p in found.pairs])
    assert found.ranking.low < found.ranking.tau <= found.ranking.high
    assert "tau-b of 0." in ranking_sentence(found)
    assert "over 12 trials" in ranking_sentence(found)


def test_trials_of_unscored_slices_are_counted_and_unfinished_ones_are_not(make_run: MakeRun) -> None:
    run = shared_run(make_run, trials=12, slices=8)
    trials = run.trials.copy()
    trials.loc[0, "status"] = "stopped"
    found = shared_of(dataclasses.replace(run, trials=trials))
    assert (len(found.pairs), found.unscored) == (7, 4)


def test_too_few_pairs_are_too_few_to_say(make_run: MakeRun) -> None:
    found = shared_of(shared_run(make_run, trials=4))
    assert found.ranking is None
    assert ranking_sentence(found) == (
        "Too few to say how well the slices rank the fine-tuned networks: 4 finished trials have a scored slice, "
        "and it takes 5."
    )


def test_the_search_own_elastic_training_is_told_from_those_of_the_confirmation(make_run: MakeRun) -> None:
    found = shared_of(shared_run(make_run, confirmed=["procedure"]))
    assert [one.id for one in found.elastic] == ["elastic"]
    assert [one.id for one in found.confirming] == ["elastic-s1", "elastic-s2"]
    (training,) = found.elastic
    assert (training.networks, training.network_epochs, training.images) == (4, 40, 2000)


def test_scoring_costs_the_recalibration_and_the_validation_of_every_slice(make_run: MakeRun) -> None:
    found = shared_of(shared_run(make_run, slices=5))
    assert found.scoring_macs == sum(one.macs for one in found.slices) * (512 + 800)


@pytest.mark.parametrize("damage", ["none", "cut", "folder", "pipe", "stages", "unit", "cells"])
def test_a_table_that_cannot_be_used_is_one_sentence(
    make_run: MakeRun, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shared_run(make_run)
    path = run.folder / "scored.parquet"
    whole = pd.read_parquet(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "stages":
        whole.assign(widths=[[4, 4]] * len(whole)).to_parquet(path)
    elif damage == "unit":
        whole.rename(columns={"val_mae_years": "val_mae_points"}).to_parquet(path)
    elif damage == "cells":
        monkeypatch.setattr("suite.files.reading.MOST_CELLS", 100)
    else:
        path.unlink()
        if damage == "folder":
            path.mkdir()
        elif damage == "pipe":
            os.mkfifo(path)
    found = shared_of(run)
    assert (found.slices, found.front, found.pairs, found.ranking) == ((), (), (), None)
    assert found.missing.endswith(".")
    assert len(found.missing) < 320
    assert str(Path(run.folder)) not in found.missing
    assert ("cannot be read" in found.missing) is (damage != "none")


def test_of_very_many_slices_some_are_in_the_page_the_ends_of_the_front_among_them(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.model.sharing_data.MOST_OF_FRONT", 3)
    monkeypatch.setattr("reports.model.sharing_data.MOST_OTHERS", 10)
    run = shared_run(make_run, slices=60)
    found, shown = shared_of(run), summarise(run).trials
    data = sharing_data(found, shown, {})
    assert data is not None
    slices = data["slices"]
    assert slices["scored"] == 60
    assert slices["front"] == [1] * 3 + [0] * 10
    assert (slices["params"][0], slices["params"][2]) == (found.front[0].params, found.front[-1].params)
    assert {len(column) for name, column in slices.items() if name != "scored"} == {13}
    assert MOST_OF_FRONT + MOST_OTHERS <= 2000


def test_an_error_that_is_not_finite_is_no_mark(make_run: MakeRun) -> None:
    run = shared_run(make_run, slices=20)
    path = run.folder / "scored.parquet"
    frame = pd.read_parquet(path)
    frame.loc[[0, 1], "val_mae_years"] = [math.nan, math.inf]
    frame.to_parquet(path)
    found = shared_of(run)
    data = sharing_data(found, summarise(run).trials, {})
    assert data is not None
    assert len(data["slices"]["error"]) == 18
    assert None not in data["slices"]["error"]
    assert found.unscored == 2
