"""What of a search mattered for the error."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from search_spaces import load_dict
from suite.runs.info import write_info
from suite.runs.ledger import RunLedger
from suite.runs.tables import read_run
from suite.search.study.importance import importances, values_of
from suite.trial import TrialConfig
from tests.support.runs import metrics, run_info, trial_result

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
    write_info(folder, run_info(search=search))
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
            trial_result(
                f"t{number:04d}",
                config=config,
                validation=metrics(error, rmse=1.3 * error),
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
