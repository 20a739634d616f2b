"""The front as one number, up to a reference point that the trials do not move."""

from collections.abc import Callable

import pytest

from reports.model.hypervolume import Volume, volume
from reports.model.trials import summarise
from suite.runs.tables import Run

MakeRun = Callable[..., Run]


def volume_of(run: Run) -> Volume | None:
    return volume(run.info, summarise(run))


def test_one_member_fills_the_box_beyond_it(make_run: MakeRun) -> None:
    run = make_run(trials=1, configs=[{"widths": (8, 16, 32, 64, 64)}], objectives=["params", "val_mae"])
    (trial,) = summarise(run).front
    found = volume_of(run)
    assert found.share == pytest.approx((1 - trial.params / 934_869) * (1 - trial.val_mae / 24.6))
    assert found.corner == {"params": 934_869, "val_mae": 24.6}


def test_more_trials_never_make_it_smaller(make_run: MakeRun) -> None:
    run = make_run(trials=30)
    shares = [
        volume_of(Run(run.folder, run.info, run.trials.head(count), run.epochs)).share
        for count in (5, 15, 30)
    ]
    assert 0 < shares[0] <= shares[1] <= shares[2] < 1


def test_without_a_front_or_a_fit_reference_there_is_none(make_run: MakeRun) -> None:
    assert volume_of(make_run(trials=1, statuses=["failed"])) is None
    assert volume_of(make_run(trials=2, references=[])) is None
    assert volume_of(make_run(trials=2, configs=[{"resolution": 32}])) is None
