"""Predictions of single images, and errors by band of the label and by group."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from reports.model.page_data import _as_data
from reports.model.predictions import read_predictions
from suite.runs.tables import write_prediction_rows
from suite.statistics.clustered import error_of_group
from tests.support.synthetic_runs import MakeRun

ESTIMATES = np.arange(20.0) + np.tile([1.0, 2.0, 3.0, 4.0], 5)
PEOPLE = [f"p{n // 2}" for n in range(20)]


def rows(estimates: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": "test",
            "image": range(20),
            "label": np.arange(20.0),
            "estimate": estimates,
            "person": PEOPLE,
            "glasses": ["yes", "no"] * 10,
            "file": [f"{n}.png" for n in range(20)],
        }
    )


def test_errors_are_by_band_and_by_group_with_intervals_over_people(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    write_prediction_rows(run.folder, "t000", rows(ESTIMATES))
    found = read_predictions(run.folder, ["t000"], run.info)
    assert found is not None
    groups = dict(found.groups)
    assert [group.group for group in groups["age"]] == ["0 to 10", "10 to 20"]
    assert [(group.group, group.mae) for group in groups["glasses"]] == [("no", 3.0), ("yes", 2.0)]
    first = error_of_group("0 to 10", np.tile([1.0, 2.0, 3.0, 4.0], 5)[:10], np.array(PEOPLE[:10]))
    assert dataclasses.astuple(groups["age"][0]) == pytest.approx(dataclasses.astuple(first))


def test_trainings_of_one_network_are_averaged_image_by_image(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    write_prediction_rows(run.folder, "a", rows(np.arange(20.0) + 1.0))
    write_prediction_rows(run.folder, "b", rows(np.arange(20.0) - 3.0))
    found = read_predictions(run.folder, ["a", "b"], run.info)
    assert found is not None
    assert {group.mae for _, groups in found.groups for group in groups} == {2.0}
    assert found.drawn[0] == (0.0, 1.0)  # of the first training


def test_several_trainings_have_intervals_over_trainings_and_people(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    write_prediction_rows(run.folder, "a", rows(ESTIMATES))
    write_prediction_rows(run.folder, "b", rows(np.arange(20.0) + 3 * (ESTIMATES - np.arange(20.0))))
    one, two = (read_predictions(run.folder, trainings, run.info) for trainings in (["a"], ["a", "b"]))
    assert one is not None
    assert two is not None
    assert (one.overall.mae, one.overall.people) == (2.5, 10)
    assert (two.overall.mae, two.overall.people) == (5.0, 10)
    assert two.overall.high - two.overall.low > 5 * (one.overall.high - one.overall.low)


def test_a_run_without_predictions_has_none(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    assert read_predictions(run.folder, ["t000", "../t000"], run.info) is None


def test_the_coverage_of_the_kept_intervals_is_by_band_and_by_group(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    kept = rows(ESTIMATES).assign(person=[f"p{n}" for n in range(20)])
    inside = kept.assign(interval_low=kept["label"] - 1, interval_high=kept["label"] + 1)
    write_prediction_rows(run.folder, "a", inside)
    beside = inside.assign(interval_low=kept["label"] + np.tile([0.5, -0.5], 10))
    write_prediction_rows(run.folder, "b", beside.assign(glasses="no"))
    for trainings, share, width in ((["a"], 1.0, 2.0), (["a", "b"], 0.75, 1.75)):
        found = read_predictions(run.folder, trainings, run.info)
        assert found is not None
        assert found.coverage is not None
        assert (found.coverage.share, found.coverage.width) == (share, width)
    assert [group.group for group in found.coverage.groups["age"]] == ["0 to 10", "10 to 20"]
    assert all(np.isnan(group.share) for group in found.coverage.groups["age"]), "10 people are too few"
    assert list(found.coverage.groups) == [by for by, _ in found.groups]


def test_a_run_of_an_earlier_version_has_no_coverage(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    write_prediction_rows(run.folder, "t000", rows(ESTIMATES))
    found = read_predictions(run.folder, ["t000"], run.info)
    assert found is not None
    assert found.coverage is None


def test_decisions_by_age_are_those_of_the_trainings_on_average(make_run: MakeRun) -> None:
    """Of five under 18, both trainings accept one and the first one more; the page has them as text."""
    run = make_run(trials=1)
    kept = rows(ESTIMATES).assign(person=[f"p{n}" for n in range(20)], label=np.arange(20.0) + 13)
    for name, accepting in (("a", [0, 1, 10]), ("b", [0, 10])):
        estimates = np.full(20, 20.0)
        estimates[accepting] = 25.0
        write_prediction_rows(run.folder, name, kept.assign(estimate=estimates))
    found = read_predictions(run.folder, ["a", "b"], run.info)
    assert found is not None
    assert found.decisions is not None
    (everybody,), (_, glasses) = found.decisions["everybody"], found.decisions["glasses"]
    assert (everybody.accepted_below.share, everybody.accepted_below.people) == (pytest.approx(0.3), 5)
    assert everybody.asked_above.share == pytest.approx(14 / 15)
    assert glasses.group == "yes"
    shown = _as_data(found)["threshold"]
    assert shown["rule"].startswith(
        "Is this person 18 or older? A person is accepted if the estimate is 25 years or more"
    )
    assert [by for by, _, _ in shown["tables"]] == ["everybody", "glasses", "file"]
    assert shown["tables"][0][2] == [list(everybody.cells)]
