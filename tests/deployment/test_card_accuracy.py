"""Which errors a model card breaks down by group, and what it says of other seeds."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from suite.deployment.card_accuracy import _errors_by_group, _other_seeds, _with_interval
from suite.runs.tables import write_prediction_rows
from suite.statistics.clustered import error_of_group
from suite.statistics.crossed import mean_error
from tests.support.sample_rows import INFO

LABELS = pd.DataFrame(
    {
        "split": "val",
        "subject": ["a", "a", "b", None, ""],
        "source": [f"{number}.jpg" for number in range(5)],
        "age": [12.0, 14.0, 35.0, 71.0, 72.0],
        "age_std": 2.0,
        "attractiveness": 3.0,
        "attractiveness_std": 0.5,
        "gender": ["female", "female", "male", "male", None],
    }
)


def test_groups_are_bands_of_the_label_and_what_the_set_names() -> None:
    found = _errors_by_group(np.arange(5.0), LABELS, "age")
    assert list(found) == ["age", "gender"]
    assert [(group.group, group.images, group.mae) for group in found["gender"]] == [
        ("female", 2, 0.5),
        ("male", 2, 2.5),
    ]


def test_an_image_without_a_subject_is_a_person_of_its_own() -> None:
    found = _errors_by_group(np.arange(5.0), LABELS, "age")
    assert {group.group: group.people for group in found["gender"]} == {"female": 1, "male": 2}


def test_a_group_of_too_few_people_has_an_error_and_says_why_there_is_no_interval() -> None:
    few, enough = (
        error_of_group("old", np.arange(1.0, 9.0), (np.arange(8) % people).astype(str)) for people in (4, 5)
    )
    assert _with_interval(few) == "4.50 (too few people for an interval)"
    assert _with_interval(enough).startswith("4.50 (")
    assert " to " in _with_interval(enough)


LONGER = (("t0-s1-e24", 200.0), ("t0-s2-e24", 201.0))


def confirmed_trial(folder: Path, id_: str = "t0", confirm_epochs: str = "1x") -> Any:
    """A trial with two finished trainings of other seeds, one that diverged, and another trial's.

    Two that are four times as long are of a confirmation that was asked for at another time.
    """
    rng = np.random.default_rng(0)
    for name, shift in (("t0-s1", 1.0), ("t0-s2", 2.0), ("t9-s1", 50.0), *LONGER):
        estimates = 30 + shift + rng.exponential(5.0, 40)
        table = pd.DataFrame(
            {
                "split": "test",
                "image": range(40),
                "label": 30.0,
                "estimate": estimates,
                "person": list(map(str, range(40))),
            }
        )
        write_prediction_rows(folder, name, table)
    rows = [
        ("t0", "search", "finished", None, 6),
        ("t9", "search", "finished", None, 6),
        ("t0-s1", "confirm", "finished", "t0", 6),
        ("t0-s2", "confirm", "finished", "t0", 6),
        ("t0-s3", "confirm", "diverged", "t0", 6),
        ("t9-s1", "confirm", "finished", "t9", 6),
        *((name, "confirm", "finished", "t0", 24) for name, _ in LONGER),
    ]
    trials = pd.DataFrame(rows, columns=["id", "stage", "status", "parent", "epochs"])
    row = trials[trials["id"] == id_].to_dict("records")[0]
    info = replace(INFO, search={**INFO.search, "confirm_epochs": confirm_epochs})
    run = SimpleNamespace(info=info, trials=trials, folder=folder)
    return SimpleNamespace(run=run, row=row, id=id_)


@pytest.mark.parametrize("id_", ["t0", "t0-s1"])
def test_the_card_has_the_error_over_other_seeds_and_people(tmp_path: Path, id_: str) -> None:
    trained = confirmed_trial(tmp_path, id_)
    text = _other_seeds(trained, "test")
    errors = [
        pd.read_parquet(tmp_path / "predictions" / f"t0-s{seed}.parquet")["estimate"] - 30 for seed in (1, 2)
    ]
    expected = mean_error(np.stack([one.to_numpy(float) for one in errors]), np.arange(40).astype(str))
    assert "Trained 2 times with other seeds" in text
    assert f"{expected.mean:.2f} ({expected.low:.2f} to {expected.high:.2f}) on the test split" in text
    assert "over seeds and people" in text
    assert "epochs" not in text, "they are as long as the trial's own"


@pytest.mark.parametrize(("id_", "own"), [("t0", 6), ("t0-s1-e24", 24)])
def test_only_trainings_as_long_as_the_run_asks_for_tell_of_other_seeds(
    tmp_path: Path, id_: str, own: int
) -> None:
    text = _other_seeds(confirmed_trial(tmp_path, id_, "4x"), "test")
    assert "Trained 2 times" in text
    assert "MAE of 20" in text, "by the long trainings alone"
    assert ("for 24 epochs, where this file has 6," in text) == (own == 6)


def test_a_trial_that_was_not_confirmed_has_no_such_sentence(tmp_path: Path) -> None:
    assert _other_seeds(confirmed_trial(tmp_path, "t9-s1"), "test") == "", (
        "one training says nothing of seeds"
    )
    assert _other_seeds(confirmed_trial(tmp_path), "val") == "", "no predictions of this split"
