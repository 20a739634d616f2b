"""What of a search mattered for the error."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from search_spaces import load_dict
from suite.runs.info import DataUsed, RunInfo, write_info
from suite.runs.ledger import RunLedger
from suite.runs.tables import read_run
from suite.search.study.importance import importances, values_of
from suite.trial import Metrics, Profile, TrialConfig, TrialResult

INFO = RunInfo(
    name="some",
    status="finished",
    command=[],
    search={},
    search_file="some.yaml",
    attribute="age",
    resolution=32,
    objectives=["val_mae", "params"],
    trials_asked=60,
    seed=0,
    max_concurrent=1,
    data=DataUsed("faces", "", "", 64, 100, 100, 10, 10, "", "", 0, 20.0),
    references=[],
    versions={},
    git_revision="",
    hardware={},
    started="2026-01-01T00:00:00+00:00",
)
VARY: Mapping[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "lambda_l1": {"choices": [0.0, 0.1, 1.0]},
    "widths": [{"choices": [4, 8]}] * 5,
}


def run_of(folder: Path, trials: int) -> Mapping[str, float]:
    """The learning rate alone decides the error."""
    search = {
        "name": "some",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": trials,
        "vary": VARY,
    }
    write_info(folder, dataclasses.replace(INFO, search=search))
    ledger = RunLedger(folder)
    for number in range(trials):
        rate = 1e-4 * 100 ** (number * 7 % trials / trials)
        error = 5 + 1000 * rate
        config = TrialConfig(
            learning_rate=rate,
            lambda_l1=(0.0, 0.1, 1.0)[number % 3],
            widths=(4, 8, 4, 8, 4 + 4 * (number % 2)),
        )
        ledger.add_trial(
            TrialResult(
                id=f"t{number:04d}",
                stage="search",
                config=config,
                status="finished",
                cause="",
                profile=Profile(1000, 10, 100, 4000),
                validation=Metrics(error, 1.3 * error, 0.9, 0.4, 0.6, 0.8, None),
                epochs_run=1,
                seconds=1.0,
                precision="float32",
                trials_known=0,
                started=float(number),
            )
        )
    return importances(read_run(folder))


def test_what_decides_the_error_has_nearly_all_of_it(tmp_path: Path) -> None:
    found = run_of(tmp_path, 60)
    # widths[0] to [3] never varied, and are left out
    assert set(found) == {"learning_rate", "lambda_l1", "widths[4]"}
    assert sum(found.values()) == pytest.approx(1)
    assert found["learning_rate"] > 0.8


def test_of_too_few_trials_nothing_is_said(tmp_path: Path) -> None:
    assert run_of(tmp_path, 7) == {}


def test_a_trial_outside_of_the_space_has_no_place_in_it() -> None:
    space = load_dict({"name": "a", "data": "faces", "objectives": ["val_mae"], "trials": 1, "vary": VARY})
    inside = TrialConfig(learning_rate=1e-3, lambda_l1=0.1, widths=(4, 8, 4, 8, 4))
    assert values_of(inside, space)["widths[1]"] == 8
    assert values_of(dataclasses.replace(inside, lambda_l1=0.5), space) == {}
