"""What the learning curves collect and how they are told apart."""

import dataclasses
import math

import pytest

from reports.figures import style
from reports.figures.learning_curves import collect, draw
from reports.model.trials import summarise
from tests.support.synthetic_runs import MakeRun


def test_each_trial_with_an_epoch_has_its_curve(make_run: MakeRun) -> None:
    run = make_run(trials=20, epochs=9)
    curves = {curve.id: curve for curve in collect(run, summarise(run)).curves}
    assert set(curves) == set(run.epochs["id"])
    one = run.epochs[run.epochs["id"] == "t000"]
    assert curves["t000"].epochs == tuple(range(1, 10))
    assert curves["t000"].val_mae == tuple(one["val_mae_years"])


def test_the_front_is_drawn_last_in_colour_and_the_others_in_grey(make_run: MakeRun) -> None:
    run = make_run(trials=20)
    result = summarise(run)
    figure = draw(collect(run, result))
    lines = [trace.line.color for trace in figure.data]
    front = len(result.front)
    others, *members = lines
    assert others == style.OTHERS
    assert style.OTHERS not in members
    grey = figure.data[0]
    assert [value for value in grey.y if value is not None] == [
        value for curve in collect(run, result).curves if not curve.on_front for value in curve.val_mae
    ]
    assert "</b>" in grey.text[0]
    assert [trace.name for trace in figure.data[-front:]] == [trial.id for trial in result.front]
    assert len(figure.data) == front + 1


def test_epochs_whose_row_was_not_written_before_a_kill_keep_their_curve(make_run: MakeRun) -> None:
    run = make_run(trials=3, statuses=["finished"] * 3, status="running")
    killed = type(run)(run.folder, run.info, run.trials[run.trials["id"] != "t002"], run.epochs)
    curves = {curve.id: curve.status for curve in collect(killed, summarise(killed)).curves}
    assert curves == {"t000": "finished", "t001": "finished", "t002": "no result recorded"}


@pytest.mark.parametrize("epochs", [1, 7, 60])
def test_epoch_ticks_are_whole_numbers(make_run: MakeRun, epochs: int) -> None:
    run = make_run(trials=2, epochs=epochs)
    step = draw(collect(run, summarise(run))).layout.xaxis.dtick
    assert step == int(step) >= 1


def test_no_epoch_yet_can_be_drawn(make_run: MakeRun) -> None:
    run = make_run(trials=0)
    assert collect(run, summarise(run)).curves == ()
    assert len(draw(collect(run, summarise(run))).data) == 0


def test_a_foreign_table_with_empty_errors_has_curves_of_unknown_values(make_run: MakeRun) -> None:
    run = make_run(trials=2)
    epochs = run.epochs.assign(**{run.info.error_column: None}).astype({run.info.error_column: object})
    curves = collect(dataclasses.replace(run, epochs=epochs), summarise(run)).curves
    assert curves
    assert all(math.isnan(value) for curve in curves for value in curve.val_mae)
