"""How long, and how often, the networks in the chart of the front were trained."""

import dataclasses

import pytest

from reports.model.training_length import training_length
from reports.model.trials import summarise
from tests.support.shared_runs import shared_run
from tests.support.synthetic_runs import MakeRun, confirmed_run


def test_an_unconfirmed_search_has_one_training_each(make_run: MakeRun) -> None:
    length = training_length(summarise(make_run(trials=4)))
    assert (length.once, length.again) == ("one training of 12 epochs", "")
    assert length.title == "validation MAE after 12 epochs"


@pytest.mark.parametrize(
    ("epochs", "title"), [(12, "validation MAE after 12 epochs"), (48, "validation MAE")]
)
def test_the_axis_names_a_length_that_all_trainings_have(make_run: MakeRun, epochs: int, title: str) -> None:
    run = confirmed_run(make_run)
    trials = run.trials.assign(
        epochs_run=run.trials["epochs_run"].where(run.trials["stage"] != "confirm", epochs)
    )
    length = training_length(summarise(dataclasses.replace(run, trials=trials)))
    assert length.again == f"mean of 3 trainings of {epochs} epochs"
    assert length.once == "one training of 12 epochs"
    assert length.title == title


def test_a_lost_training_makes_the_number_of_trainings_a_span(make_run: MakeRun) -> None:
    members = {"t000": (1000, 8.0, {1: 8.1, 2: 8.2}), "t001": (2000, 7.0, {1: 7.1, 2: None})}
    length = training_length(summarise(confirmed_run(make_run, members, seeds=2)))
    assert length.again == "mean of 1 to 2 trainings of 12 epochs"


def test_trials_that_start_from_slices_say_so(make_run: MakeRun) -> None:
    length = training_length(summarise(shared_run(make_run, confirmed=["procedure"])))
    assert length.once == "one training of 4 epochs from a slice"
    assert length.again == "mean of 2 trainings of 4 epochs from a slice"
    assert length.title == "validation MAE after 4 epochs"


def test_a_run_without_a_trial_has_no_length(make_run: MakeRun) -> None:
    assert training_length(summarise(make_run(trials=0))).title == "validation MAE"
