"""The rule that a space names, and what it remembers of earlier sessions; Ray does not run."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from search_spaces import load_dict
from suite.runs.ledger import RunLedger
from suite.search.stopping.early_stopping import EarlyStopping, replay, stopping_of
from suite.search.stopping.forecast_stopping import ForecastRule, ForecastStopping
from suite.search.stopping.rungs import RungRule, Rungs
from suite.trial import EpochResult, Profile, Status, TrialConfig, TrialResult
from tests.support.runs import metrics, trial_result

SMALL: dict[str, Any] = {
    "name": "small",
    "data": "faces",
    "objectives": ["val_mae", "params"],
    "trials": 10,
    "base": {"epochs": 12},
    "vary": {"learning_rate": {"low": 1e-4, "high": 1e-2}},
}


def rule_of(**changes: Any) -> RungRule | ForecastRule | None:
    stopping = stopping_with(**changes)
    return stopping.rule if isinstance(stopping, Rungs | ForecastStopping) else None


def stopping_with(**changes: Any) -> EarlyStopping | None:
    return stopping_of(load_dict({**SMALL, **changes}))


def test_one_word_chooses_the_rule() -> None:
    assert rule_of() is None
    assert rule_of(stopping={"rule": "none"}) is None
    assert rule_of(stopping={"rule": "front"}) == RungRule(("val_mae", "params"), (2, 6), 3)
    assert rule_of(stopping={"rule": "error"}) == RungRule(("val_mae",), (2, 6), 3)
    assert rule_of(stopping={"rule": "forecast"}) == ForecastRule(
        ("params",), 12, tuple(range(2, 12)), 0.02, "years"
    )


def test_a_word_that_no_rule_has_is_refused_instead_of_taken_for_the_rule_by_error() -> None:
    space = load_dict({**SMALL, "stopping": {"rule": "error"}})
    unknown = space.stopping.model_copy(update={"rule": "no-such-rule"})
    with pytest.raises(AssertionError, match="no-such-rule"):
        stopping_of(space.model_copy(update={"stopping": unknown}))


def test_rungs_come_from_grace_and_reduction_or_are_named() -> None:
    def rungs(**stopping: Any) -> tuple[int, ...]:
        rule = rule_of(stopping={"rule": "front", **stopping})
        assert isinstance(rule, RungRule)
        return rule.rungs

    assert rungs(grace_epochs=1, reduction_factor=2) == (1, 2, 4, 8)
    assert rungs(grace_epochs=4) == (4,)  # after the twelfth of twelve nothing is left to stop
    assert rungs(rungs=[3, 5, 11]) == (3, 5, 11)


def test_a_forecast_is_made_after_every_epoch_from_the_grace_on_or_after_those_named() -> None:
    def forecast_after(**stopping: Any) -> tuple[int, ...]:
        rule = rule_of(stopping={"rule": "forecast", **stopping})
        assert isinstance(rule, ForecastRule)
        return rule.forecast_after

    assert forecast_after(grace_epochs=9) == (9, 10, 11)
    assert forecast_after(rungs=[4, 8]) == (4, 8)


def ended(number: int, status: Status, error: float, epochs: int) -> TrialResult:
    return trial_result(
        f"t{number:04d}",
        status,
        config=TrialConfig(epochs=6),
        profile=Profile(params=1000 + number, macs=10, macs_at_224=100, bytes=4000),
        validation=metrics(error),
        epochs_run=epochs,
    )


def epoch(number: int, error: float) -> EpochResult:
    return EpochResult(number, 1.0, 1.0, 1.0, 1e-3, 1.0, 100.0, metrics(error))


def losses(error: float, params: float) -> dict[str, float]:
    return {"val_mae": error, "params": params, "macs": 10.0, "bytes": 4000.0}


@pytest.mark.parametrize("rule", ["front", "error", "forecast"])
def test_a_resumed_search_stops_what_the_first_sitting_would(rule: str, tmp_path: Path) -> None:
    def empty() -> EarlyStopping:
        stopping = stopping_with(stopping={"rule": rule, "grace_epochs": 1}, base={"epochs": 6})
        assert stopping is not None
        return stopping

    ledger, before = RunLedger(tmp_path), empty()
    ends: list[tuple[Status, int]] = [("finished", 6), ("stopped", 1), ("finished", 6), ("diverged", 4)] * 5
    for number, (status, last) in enumerate(ends):
        for e in range(1, last + 1):
            error = 20.0 / e + number % 3
            ledger.add_epoch(f"t{number:04d}", epoch(e, error), "age")
            before.why_stop(f"t{number:04d}", e, losses(error, 1000.0 + number))
        ledger.add_trial(ended(number, status, 5.0, last))
    ledger.add_epoch("t0099", epoch(1, 0.1), "age")  # under way when the driver was killed: trained again
    again = empty()
    replay(again, RunLedger(tmp_path))
    causes = [
        (again.why_stop("new", e, losses(error, 1030.0)), before.why_stop("new", e, losses(error, 1030.0)))
        for e in (1, 3, 4, 5)
        for error in (0.5, 5.5, 7.0, 21.5, 40.0)
    ]
    assert all(after == first for after, first in causes)
    assert {after is None for after, _ in causes} == {True, False}


def test_a_trial_that_failed_before_it_was_counted_is_at_no_rung(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    ledger.add_trial(dataclasses.replace(ended(0, "failed", 5.0, 0), profile=None, validation=None))
    rungs = Rungs(RungRule(("val_mae",), (1,), 3))
    replay(rungs, RunLedger(tmp_path))
    decision = rungs.record("t0001", 1, losses(5.0, 1.0))
    assert decision is not None
    assert decision.of == 1
