"""The front's hypervolume as the search went on."""

from collections.abc import Callable

import pytest

from reports.html.page import page
from reports.model.growth import growth
from reports.model.hypervolume import volume
from reports.model.trials import summarise
from suite.runs.tables import Run

MakeRun = Callable[..., Run]


def test_it_only_grows_and_ends_at_the_hypervolume_of_the_whole_front(make_run: MakeRun) -> None:
    run = make_run(trials=30, test=False)
    found, whole = growth(run.info, summarise(run)), volume(run.info, summarise(run))
    assert found is not None
    assert whole is not None
    assert list(found.shares) == sorted(found.shares)
    assert found.ended == tuple(range(1, 31))
    assert found.shares[-1] == pytest.approx(whole.share)


def test_of_many_trials_some_are_taken_the_last_among_them(make_run: MakeRun) -> None:
    run = make_run(trials=150)
    found = growth(run.info, summarise(run))
    assert found is not None
    assert len(found.ended) == 60
    assert found.ended[-1] == 150


def test_without_a_finished_trial_there_is_none(make_run: MakeRun) -> None:
    run = make_run(trials=2, statuses=["failed", "failed"])
    assert growth(run.info, summarise(run)) is None


def test_a_front_that_is_nowhere_below_the_reference_point_has_no_curve(make_run: MakeRun) -> None:
    thin = {"widths": (32, 64, 128, 256, 256), "depths": (2, 2, 3, 3, 3)}
    run = make_run(trials=2, statuses=["finished"] * 2, configs=[thin, thin])
    assert growth(run.info, summarise(run)) is None
    assert "no member lies below the reference point" in page(run)
