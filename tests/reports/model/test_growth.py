"""The front's hypervolume as the search went on."""

import math
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.html.page import page
from reports.model.growth import Spent, growth, spending
from reports.model.hypervolume import box_of, volume
from reports.model.shared_weights import shared_weights
from reports.model.trials import Trial, summarise
from tests.support.shared_runs import shared_run
from tests.support.synthetic_runs import MakeRun


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
    run = make_run(trials=2, statuses=["finished"] * 2)
    run = replace(run, info=replace(run.info, data=replace(run.info.data, constant_val_mae=0.1)))
    assert growth(run.info, summarise(run)) is None
    assert "<b>0</b>, because no member lies in the box" in page(run)


def test_every_epoch_of_every_trial_is_spent_whatever_became_of_it(make_run: MakeRun) -> None:
    run = make_run(
        trials=6, epochs=6, statuses=["finished", "diverged", "stopped", "failed", "finished", "finished"]
    )
    found = growth(run.info, summarise(run))
    assert found is not None
    assert [spent.epochs for spent in found.spent] == [6, 8, 10, 10, 16, 22]
    macs = dict(zip(run.trials["id"], run.trials["macs"].astype(float), strict=True))
    assert found.spent[0].macs == macs["t000"] * 2000 * 6
    assert found.spent[1].macs == pytest.approx(found.spent[0].macs + macs["t001"] * 2000 * 2)
    assert found.uncounted == 0  # the failed trial trained no epoch
    assert found.slices is None


def test_the_elastic_training_is_spent_before_the_first_trial(make_run: MakeRun) -> None:
    run = shared_run(make_run, trials=6, confirmed=["procedure"])
    summary = summarise(run)
    shared = shared_weights(run, summary)
    assert shared is not None
    found, alone = growth(run.info, summary, shared), growth(run.info, summary)
    assert found is not None
    assert alone is not None
    (elastic,) = shared.elastic
    assert [a.epochs - b.epochs for a, b in zip(found.spent, alone.spent, strict=True)] == [40] * 6
    for with_it, without in zip(found.spent, alone.spent, strict=True):
        assert with_it.macs == pytest.approx(without.macs + elastic.forward_macs)
    assert found.shares == alone.shares
    assert found.slices is not None
    assert found.slices.spent == Spent(40, elastic.forward_macs)
    losses = np.array([[one.val_mae, one.params] for one in shared.slices])
    box = box_of(run.info)
    assert box is not None
    assert found.slices.share == pytest.approx(box.share(losses))
    assert 0 < found.slices.share < 1


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10**9), st.integers(1, 10**5)), max_size=8),
    st.integers(0, 100),
)
def test_what_is_spent_is_the_sum_of_the_parts_and_never_falls(
    trained: list[tuple[int, int, int]], start: int
) -> None:
    trials = [trial_that_trained(epochs, macs, images) for epochs, macs, images in trained]
    found = spending(trials, Spent(start, 1.0 * start))
    assert len(found) == len(trained)
    for place, spent in enumerate(found, start=1):
        assert spent.epochs == start + sum(epochs for epochs, _, _ in trained[:place])
        assert spent.macs == pytest.approx(start + sum(e * m * i for e, m, i in trained[:place]))


def trial_that_trained(epochs: int, macs: float, images: int) -> Trial:
    recipe = Mock(train_images=images)
    return Mock(epochs_run=epochs, macs=float(macs), recipe=recipe)


def test_a_network_that_was_not_counted_adds_epochs_only() -> None:
    assert spending([trial_that_trained(3, math.nan, 100)], Spent(1, 2.0)) == [Spent(4, 2.0)]
