"""The front as one number, as the share of a box that the trials do not move."""

import dataclasses
import math

import numpy as np
import pytest

from reports.html.page import page
from reports.model.hypervolume import Volume, common_box, volume
from reports.model.several_runs import hypervolume_shares, named_members
from reports.model.trials import summarise
from suite.runs.info import CostRange
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun


def volume_of(run: Run) -> Volume | None:
    return volume(run.info, summarise(run))


def with_costs(run: Run, **ranges: CostRange) -> Run:
    return dataclasses.replace(run, info=dataclasses.replace(run.info, cost_ranges=ranges))


def test_one_member_fills_the_box_beyond_it_by_the_logarithm_of_its_cost(make_run: MakeRun) -> None:
    run = make_run(trials=1, configs=[{"widths": (8, 16, 32, 64, 64)}], objectives=["params", "val_mae"])
    (trial,) = summarise(run).front
    found = volume_of(run)
    costs = run.info.cost_ranges["params"]
    corner = 2 * costs.greatest
    cheaper = math.log(corner / trial.params) / math.log(corner / costs.least)
    assert found.share == pytest.approx(cheaper * (1 - trial.val_mae / 24.6))
    assert found.box.least == {"params": costs.least, "val_mae": 0.0}
    assert found.box.corner == {"params": corner, "val_mae": 24.6}


def test_the_largest_network_of_the_space_counts_as_well(make_run: MakeRun) -> None:
    """An improvement at the large end is seen, where the corner at TinyAgeNet passed it over."""
    thin = {"widths": (32, 64, 128, 256, 256), "depths": (2, 2, 3, 3, 3)}
    run = make_run(trials=1, configs=[thin], objectives=["val_mae", "params"])
    largest = int(run.trials["params"].iloc[0])
    assert largest > 934_869
    bounded = with_costs(run, params=CostRange(10_000, largest))
    better = dataclasses.replace(
        bounded, trials=run.trials.assign(val_mae_years=run.trials["val_mae_years"] - 1)
    )
    assert 0 < volume_of(bounded).share < volume_of(better).share


def test_more_trials_never_make_it_smaller_and_leave_the_box(make_run: MakeRun) -> None:
    run = make_run(trials=30)
    found = [
        volume_of(Run(run.folder, run.info, run.trials.head(count), run.epochs)) for count in (5, 15, 30)
    ]
    assert 0 < found[0].share <= found[1].share <= found[2].share < 1
    assert found[0].box == found[2].box


def test_without_a_front_or_the_costs_of_the_space_there_is_none_and_the_page_says_so(
    make_run: MakeRun,
) -> None:
    assert volume_of(make_run(trials=1, statuses=["failed"])) is None
    old = with_costs(make_run(trials=3))
    assert volume_of(old) is None
    assert volume_of(with_costs(old, params=CostRange(9, 1), macs=CostRange(1, 9))) is None
    assert "Hypervolume is not stated: the run's folder does not have" in page(old)


def test_runs_of_one_space_are_compared_in_the_box_that_each_has(make_run: MakeRun) -> None:
    runs = [make_run(trials=12, seed=seed) for seed in (1, 2)]
    shares = hypervolume_shares(named_members(runs))
    assert list(shares.values()) == pytest.approx([volume_of(run).share for run in runs])


def test_the_box_of_different_spaces_holds_both_and_without_their_costs_both_fronts(
    make_run: MakeRun,
) -> None:
    runs = [make_run(trials=12, seed=seed, objectives=["val_mae", "params"]) for seed in (1, 2)]
    other = with_costs(runs[1], params=CostRange(100, 100_000_000))
    infos, fronts = [runs[0].info, other.info], [summarise(run).front for run in runs]
    box = common_box(infos, fronts)
    assert (box.least["params"], box.corner["params"]) == (100, 200_000_000)
    old = common_box([with_costs(run).info for run in runs], fronts)
    params = [trial.params for front in fronts for trial in front]
    assert (old.least["params"], old.corner["params"]) == (min(params), 2 * max(params))
    assert 0 < old.share(np.array([[t.error, t.params] for t in fronts[0]])) < 1
