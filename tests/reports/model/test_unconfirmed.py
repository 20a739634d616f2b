"""What is said of a run whose networks were trained once, and briefly."""

import dataclasses
from typing import Any

import pytest

from reports.html.answer import answer
from reports.model.networks import compared_networks
from reports.model.training_length import training_length
from reports.model.trials import summarise
from reports.model.unconfirmed import unconfirmed
from suite.runs.tables import Run
from tests.support.synthetic_runs import MEMBERS, MakeRun, confirmed_run

#: Beside the front: dominated by t003, but by less than a training's noise.
NEIGHBOUR = (5000, 6.9, {1: 6.8, 2: 6.9, 3: 6.7})


def longer_run(make_run: MakeRun, times: int = 4, **search: Any) -> Run:
    """The synthetic run with a neighbour of its front, confirmed by trainings so many times as long."""
    fields = {"name": "tiny", "seeds": 1, "confirm_seeds": 3, "confirm_epochs": f"{times}x", **search}
    run = confirmed_run(make_run, {**MEMBERS, "t004": NEIGHBOUR}, search={"confirm_neighbours": 1, **fields})
    again = run.trials["stage"] == "confirm"
    trials = run.trials.copy()
    trials.loc[again, ["epochs", "epochs_run"]] *= times
    return dataclasses.replace(run, trials=trials)


def test_a_neighbour_is_confirmed_too_and_may_take_the_front(make_run: MakeRun) -> None:
    summary = summarise(longer_run(make_run))
    assert [trial.id for trial in summary.searched_front] == ["t000", "t001", "t002", "t003"]
    assert [trial.id for trial in summary.selected] == ["t000", "t001", "t002", "t003", "t004"]
    assert [trial.id for trial in summary.front] == ["t000", "t002", "t003", "t004"]
    assert summary.best is not None
    assert summary.best.id == "t004"


def test_trainings_of_another_length_than_the_runs_confirm_nothing(make_run: MakeRun) -> None:
    run = longer_run(make_run)
    info = dataclasses.replace(run.info, search={**run.info.search, "confirm_epochs": "2x"})
    assert summarise(run).is_confirmed
    assert not summarise(dataclasses.replace(run, info=info)).is_confirmed


def test_confirmed_trials_stand_before_those_that_are_not(make_run: MakeRun) -> None:
    order = [trial.id for trial in summarise(longer_run(make_run)).trials]
    assert order == ["t000", "t002", "t003", "t004", "t001", "t005"]


def test_the_lengths_of_the_search_and_of_what_confirms_are_told(make_run: MakeRun) -> None:
    summary = summarise(longer_run(make_run))
    epochs = summary.trials[0].recipe.epochs
    length = training_length(summary)
    assert (length.searched, length.confirmed) == (f"{epochs} epochs", f"{4 * epochs} epochs")
    assert length.is_longer
    assert not training_length(summarise(confirmed_run(make_run))).is_longer


def test_a_run_without_confirmed_networks_names_none_to_ship(make_run: MakeRun) -> None:
    run = make_run(trials=5, statuses=["finished"] * 5)
    summary = summarise(run)
    single = unconfirmed(run.info, summary, "runs/my run")
    assert single is not None
    assert single.length == "after 12 epochs each, which favours small networks"
    assert single.command == (
        "suite resume 'runs/my run' --confirm-seeds 3 --confirm-epochs 4x --confirm-neighbours 4"
    )
    html = answer(run.info, summary, None, single)
    assert "No network is confirmed, so this run names none to ship" in html
    assert "after 12 epochs each, which favours small networks" in html
    assert "The smallest error so far" in html
    assert "most accurate" not in html


def test_trials_of_several_lengths_are_told_as_a_span(make_run: MakeRun) -> None:
    run = make_run(trials=3, statuses=["finished"] * 3)
    trials = run.trials.assign(epochs=[6, 9, 7])
    summary = summarise(dataclasses.replace(run, trials=trials))
    single = unconfirmed(run.info, summary, "run")
    assert single is not None
    assert single.length.startswith("after 6 to 9 epochs each")


def test_networks_of_one_size_are_not_said_to_be_favoured(make_run: MakeRun) -> None:
    run = make_run(trials=3, statuses=["finished"] * 3)
    summary = summarise(dataclasses.replace(run, trials=run.trials.assign(params=1000)))
    single = unconfirmed(run.info, summary, "run")
    assert single is not None
    assert single.length == "after 12 epochs each"


@pytest.mark.parametrize(
    ("search", "status", "command"),
    [
        ({"confirm_epochs": "4x", "confirm_neighbours": 4}, "finished", "suite resume run --confirm-seeds 3"),
        ({"confirm_seeds": 3}, "interrupted", "suite resume run"),
        ({"confirm_seeds": 3}, "finished", ""),  # all that was to confirm it failed
        ({}, "running", ""),
        ({"seeds": 3}, "finished", ""),
    ],
)
def test_the_command_that_confirms_asks_for_what_the_run_lacks(
    search: dict[str, Any], status: str, command: str, make_run: MakeRun
) -> None:
    run = make_run(trials=3, statuses=["finished"] * 3, search=search, status=status)
    single = unconfirmed(run.info, summarise(run), "run")
    assert single is not None
    assert single.command == command


@pytest.mark.parametrize("trials", [0, 5])
def test_nothing_is_said_of_a_confirmed_run_or_of_none(trials: int, make_run: MakeRun) -> None:
    run = confirmed_run(make_run) if trials else make_run(trials=0)
    assert unconfirmed(run.info, summarise(run), "run") is None


def test_a_confirmed_run_is_compared_with_confirmed_trainings_of_the_papers_networks_only(
    make_run: MakeRun,
) -> None:
    """The first trial is TinyAgeNet; the last, which nothing confirms, is ThinAgeNet."""
    run = confirmed_run(make_run)
    trials = run.trials.copy()
    thin = trials.index[trials["id"] == "t004"][0]
    trials.at[thin, "widths"], trials.at[thin, "depths"] = [32, 64, 128, 256, 256], [2, 2, 3, 3, 3]
    run = dataclasses.replace(run, trials=trials)
    found = {network["key"]: network for network in compared_networks(run.info, summarise(run))}
    assert (found["tiny"]["error"], found["tiny"]["missing"]) == (pytest.approx(8.2), "")
    assert (found["thin"]["error"], found["thin"]["missing"]) == (None, "not confirmed")
    assert (found["vgg16"]["error"], found["vgg16"]["missing"]) == (None, "not trained")


def test_of_a_confirmed_network_the_most_accurate_of_its_confirming_trainings_is_exported(
    make_run: MakeRun,
) -> None:
    exported = {trial.id: trial.exported for trial in summarise(longer_run(make_run)).trials}
    assert (exported["t004"], exported["t001"], exported["t005"]) == ("t004-s3", "t001-s1", "t005")
