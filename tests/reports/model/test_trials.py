"""Which trials make the front, in which order, and what an unfinished run leaves open."""

import dataclasses
import math
from typing import Any, get_args

import numpy as np
import pytest

from reports.html.page import page
from reports.model.trials import NAMES, reference, summarise
from suite.statistics.pareto import knee, non_dominated
from suite.trial import Network, WorstGroup
from tests.support.synthetic_runs import MakeRun, confirmed_run, with_groups


def test_the_front_is_over_the_objectives_of_the_run_and_finished_trials_only(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=30, seed=2)
    finished = run.trials[run.trials["status"] == "finished"]
    losses = finished[["val_mae_years", "params", "macs"]].to_numpy(float)
    expected = set(finished["id"][non_dominated(losses)])
    result = summarise(run)
    assert {trial.id for trial in result.front} == expected
    assert 0 < len(expected) < len(finished) < 30
    assert result.best.id == finished["id"].iloc[int(losses[:, 0].argmin())]
    assert result.knee.id == finished["id"].iloc[knee(losses)]
    assert result.smallest.params == min(trial.params for trial in result.front)


def test_a_diverged_trial_with_the_lowest_error_is_not_on_the_front(make_run: MakeRun) -> None:
    run = make_run(trials=4, statuses=["finished", "diverged", "finished", "finished"])
    run.trials.loc[1, "val_mae_years"] = 0.01
    assert "t001" not in {trial.id for trial in summarise(run).front}
    assert summarise(run).best.val_mae > 0.01


def test_other_objectives_give_another_front(make_run: MakeRun) -> None:
    run = make_run(trials=30, seed=2, objectives=["val_mae", "bytes"])
    losses = run.trials[["val_mae_years", "bytes"]].astype(float).to_numpy(na_value=np.nan).copy()
    losses[run.trials["status"] != "finished"] = np.nan
    assert {trial.id for trial in summarise(run).front} == set(run.trials["id"][non_dominated(losses)])


def test_trials_come_front_first_by_size_then_by_error_then_those_without_a_result(
    make_run: MakeRun,
) -> None:
    trials = summarise(make_run(trials=40)).trials
    groups = [0 if t.on_front else 1 if t.finished else 2 for t in trials]
    assert groups == sorted(groups)
    assert set(groups) == {0, 1, 2}
    sizes = [t.params for t in trials if t.on_front]
    errors = [t.val_mae for t in trials if t.finished and not t.on_front]
    assert sizes == sorted(sizes)
    assert errors == sorted(errors)


def test_tiny_age_net_is_known_by_its_widths_and_depths(make_run: MakeRun) -> None:
    assert [trial.id for trial in summarise(make_run(trials=12)).trials if trial.is_tiny] == ["t000"]


@pytest.mark.parametrize(
    "other",
    [{"network": "vgg16"}, {"network": "resnet50"}, {"pooling": "average"}, {"depths": (2, 2, 3, 3, 2)}],
)
def test_another_network_or_pooling_with_tiny_age_nets_widths_is_not_it(
    make_run: MakeRun, other: dict[str, Any]
) -> None:
    assert summarise(make_run(trials=1)).trials[0].is_tiny
    assert not summarise(make_run(trials=1, configs=[other])).trials[0].is_tiny


def test_a_network_with_its_own_stages_has_no_widths_and_a_method_without_lambda_has_none(
    make_run: MakeRun,
) -> None:
    (trial,) = summarise(make_run(trials=1, configs=[{"network": "vgg16-bn", "method": "dex"}])).trials
    assert trial.widths == trial.depths == ()
    assert trial.design == ("VGG-16 with batch norm",)
    assert math.isnan(trial.lambda_l1)


def test_the_order_of_the_objectives_changes_nothing(make_run: MakeRun) -> None:
    orders = [["val_mae", "params", "macs"], ["params", "val_mae", "macs"], ["macs", "params", "val_mae"]]
    for seed in range(4):
        results = [summarise(make_run(trials=30, seed=seed, objectives=order)) for order in orders]
        assert len({result.knee.id for result in results}) == 1
        assert len({tuple(trial.id for trial in result.front) for result in results}) == 1


def test_the_best_is_the_best_of_all_finished_trials_though_the_error_be_no_objective(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=30, seed=2, objectives=["params", "macs"])
    finished = run.trials[run.trials["status"] == "finished"].set_index("id")
    result = summarise(run)
    assert result.best.id == finished["val_mae_years"].idxmin()
    assert not result.best.on_front


def test_resolutions_and_numbers_of_images_are_those_of_the_rows(make_run: MakeRun) -> None:
    varied = [{"resolution": 64, "train_images": None}, {"resolution": 32, "train_images": 500}]
    result = summarise(make_run(trials=2, configs=varied))
    assert result.resolutions == (32, 64)
    assert result.train_images == (500, 4000)


def test_without_a_trial_they_are_the_runs(make_run: MakeRun) -> None:
    empty = summarise(make_run(trials=0))
    assert (empty.resolutions, empty.train_images) == ((48,), (2000,))


def test_a_failed_trial_without_a_profile_has_nan_sizes(make_run: MakeRun) -> None:
    (trial,) = summarise(make_run(trials=1, statuses=["failed"])).trials
    assert math.isnan(trial.params)
    assert math.isnan(trial.val_mae)
    assert not trial.on_front


def test_fewer_than_three_members_have_no_knee(make_run: MakeRun) -> None:
    result = summarise(make_run(trials=1))
    assert result.best is result.smallest is result.front[0]
    assert result.knee is None


def test_no_trials_has_an_empty_summary(make_run: MakeRun) -> None:
    result = summarise(make_run(trials=0))
    assert result.trials == result.front == ()
    assert result.best is result.knee is result.smallest is None


@pytest.mark.parametrize(("key", "params"), [("vgg16", 134_674_341), ("thin", 3_708_229), ("tiny", 934_869)])
def test_references_are_found_by_key(make_run: MakeRun, key: str, params: int) -> None:
    info = make_run(trials=1).info
    assert reference(info, key).params == params
    assert reference(make_run(trials=1, references=[]).info, key) is None


def test_every_network_with_stages_of_its_own_has_a_name() -> None:
    assert set(NAMES) == set(get_args(Network)) - {"compact"}


def test_the_error_of_the_worst_group_is_an_objective(make_run: MakeRun) -> None:
    run = with_groups(make_run(trials=30, seed=2, objectives=["val_mae", "worst_group_mae"]))
    finished = run.trials[run.trials["status"] == "finished"]
    losses = finished[["val_mae_years", "val_worst_group_mae_years"]].to_numpy(float)
    front = {trial.id for trial in summarise(run).front}
    assert front == set(finished["id"][non_dominated(losses)])
    assert len(front) > 1


def test_a_trial_above_the_bound_for_its_worst_group_is_on_no_front_and_never_the_best(
    make_run: MakeRun,
) -> None:
    run = with_groups(make_run(trials=30, seed=2), bound=9.0)
    summary = summarise(run)
    over = [t for t in summary.trials if t.finished and t.worst_group_mae > 9.0]
    assert over
    assert not any(trial.on_front for trial in over)
    best = min((t for t in summary.trials if t.finished and t.worst_group_mae <= 9), key=lambda t: t.error)
    assert summary.best == best
    assert best.worst_group == WorstGroup("gender male", best.worst_group_mae, 31)
    html = page(run)
    assert "gender male (31 people)" in html
    assert "the validation MAE of the worst group is at most 9.00\u00a0years on the front" in html


def test_a_bound_that_no_trial_keeps_leaves_no_front_and_the_page_says_so(make_run: MakeRun) -> None:
    run = with_groups(make_run(trials=12, seed=2), bound=0.5)
    summary = summarise(run)
    assert (summary.front, summary.best) == ((), None)
    assert (
        "each errs more for its worst group than the run&#39;s bound, 0.50\u00a0years; the lowest is"
        in page(run).replace("run's", "run&#39;s")
    )


def test_a_bound_that_no_confirmed_network_keeps_names_the_lowest_of_these(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    trials = run.trials.assign(val_worst_group="gender male", val_worst_group_people=31.0)
    again = trials["stage"] == "confirm"
    trials["val_worst_group_mae_years"] = again.map({True: 9.0, False: 7.0})
    info = dataclasses.replace(run.info, search={**run.info.search, "bounds": {"worst_group_mae": 8.0}})
    html = page(dataclasses.replace(run, trials=trials, info=info))
    assert "each confirmed one errs more for its worst group" in html
    assert "8.00\u00a0years; the lowest is 9.00\u00a0years" in html
