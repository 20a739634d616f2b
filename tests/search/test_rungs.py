"""What a search's rungs know and say; Ray does not run."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from search_spaces import load_dict
from suite.runs import RunLedger
from suite.search.rungs import Rungs, StoppingRule
from suite.trial import EpochResult, Metrics, Profile, Status, TrialConfig, TrialResult

FRONT = StoppingRule(objectives=("val_mae", "params"), rungs=(1, 3), reduction_factor=3)
ERROR = StoppingRule(objectives=("val_mae",), rungs=(1, 3), reduction_factor=3)


def losses(error: float, params: float) -> dict[str, float]:
    return {"val_mae": error, "params": params, "macs": 1.0, "bytes": 1.0}


def rule_of(**changes: Any) -> StoppingRule | None:
    fields: dict[str, Any] = {
        "name": "small",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": 10,
        "base": {"epochs": 12},
        "vary": {"learning_rate": {"low": 1e-4, "high": 1e-2}},
    }
    return StoppingRule.of(load_dict({**fields, **changes}))


def test_one_word_chooses_what_is_compared() -> None:
    assert rule_of() is None
    assert rule_of(stopping={"rule": "none"}) is None
    assert rule_of(stopping={"rule": "front"}) == StoppingRule(("val_mae", "params"), (2, 6), 3)
    assert rule_of(stopping={"rule": "error"}) == StoppingRule(("val_mae",), (2, 6), 3)


def test_rungs_come_from_grace_and_reduction_or_are_named() -> None:
    def rungs(**stopping: Any) -> tuple[int, ...]:
        rule = rule_of(stopping={"rule": "front", **stopping})
        assert rule is not None
        return rule.rungs

    assert rungs(grace_epochs=1, reduction_factor=2) == (1, 2, 4, 8)
    assert rungs(grace_epochs=4) == (4,)  # after the twelfth of twelve nothing is left to stop
    assert rungs(rungs=[3, 5, 11]) == (3, 5, 11)


def test_between_rungs_nothing_is_decided() -> None:
    assert Rungs(FRONT).enter("t0000", 2, losses(5.0, 100.0)) is None


def test_the_first_trials_pass_because_a_rung_with_fewer_than_the_factor_decides_nothing() -> None:
    rungs = Rungs(ERROR)
    verdicts = [rungs.enter(f"t{i}", 1, losses(5.0 + i, 100.0)) for i in range(4)]
    assert [verdict.goes_on for verdict in verdicts if verdict] == [True, True, False, False]


def test_each_smaller_network_goes_on_by_front_and_not_by_error() -> None:
    going_on = {}
    for rule in (FRONT, ERROR):
        rungs = Rungs(rule)
        verdicts = [rungs.enter(f"t{i}", 1, losses(5.0 + i, 1e6 / 2**i)) for i in range(9)]
        going_on[rule.measure] = sum(verdict.goes_on for verdict in verdicts if verdict)
    assert going_on == {"front rank": 9, "validation error": 2}


def test_a_rung_knows_nothing_of_another() -> None:
    rungs = Rungs(ERROR)
    for i in range(6):
        rungs.enter(f"t{i}", 1, losses(1.0, 1.0))
    verdict = rungs.enter("t9", 3, losses(50.0, 1.0))
    assert verdict is not None
    assert (verdict.goes_on, verdict.of) == (True, 1)


def test_the_cause_tells_the_rung_the_place_and_how_many_go_on() -> None:
    rungs = Rungs(FRONT)
    for i in range(11):
        rungs.enter(f"t{i}", 3, losses(1.0 + i, 1.0 + i))
    verdict = rungs.enter("t12", 3, losses(8.5, 8.5))
    assert verdict is not None
    assert rungs.cause(3, verdict) == "9th of 12 by front rank at epoch 3, where the first 4 go on"


@pytest.mark.parametrize(
    ("place", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (113, "113th")],
)
def test_places_are_ordinals(place: int, words: str) -> None:
    rungs = Rungs(ERROR)
    for i in range(120):
        rungs.enter(f"t{i}", 1, losses(float(i), 1.0))
    verdict = rungs.enter("new", 1, losses(place - 1.5, 1.0))
    assert verdict is not None
    assert rungs.cause(1, verdict).startswith(f"{words} of 121 by validation error")


def ended(number: int, status: Status, error: float, epochs: int) -> TrialResult:
    return TrialResult(
        id=f"t{number:04d}",
        stage="search",
        config=TrialConfig(epochs=6),
        status=status,
        cause="",
        profile=Profile(params=1000 + number, macs=10, macs_at_224=100, bytes=4000),
        validation=metrics(error),
        epochs_run=epochs,
        seconds=1.0,
        precision="float32",
        trials_known=0,
        started=0.0,
    )


def metrics(error: float) -> Metrics:
    return Metrics(error, 1.3 * error, 0.9, 0.4, 0.6, 0.8, None)


def epoch(number: int, error: float) -> EpochResult:
    return EpochResult(number, 1.0, 1.0, 1.0, 1e-3, 1.0, 100.0, metrics(error))


@pytest.mark.parametrize("rule", [FRONT, ERROR])
def test_rungs_of_a_resumed_search_say_what_those_of_the_first_sitting_would(
    rule: StoppingRule, tmp_path: Path
) -> None:
    ledger, before = RunLedger(tmp_path), Rungs(rule)
    ends: list[tuple[Status, int]] = [("finished", 6), ("stopped", 1), ("diverged", 4), ("stopped", 3)] * 2
    for number, (status, last) in enumerate(ends):
        for e in range(1, last + 1):
            error = 20.0 / e + number % 3
            ledger.add_epoch(f"t{number:04d}", epoch(e, error), "age")
            before.enter(f"t{number:04d}", e, losses(error, 1000.0 + number))
        ledger.add_trial(ended(number, status, 5.0, last))
    ledger.add_epoch("t0099", epoch(1, 0.1), "age")  # under way when the driver was killed: trained again
    again = Rungs(rule)
    again.recall(RunLedger(tmp_path))
    for rung in rule.rungs:
        for error in (0.5, 7.0, 8.0, 21.5, 40.0):
            new = losses(error, 1004.0)
            assert again.enter("new", rung, new) == before.enter("new", rung, new)


def test_a_trial_that_failed_before_it_was_counted_is_at_no_rung(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    ledger.add_trial(dataclasses.replace(ended(0, "failed", 5.0, 0), profile=None, validation=None))
    rungs = Rungs(ERROR)
    rungs.recall(RunLedger(tmp_path))
    verdict = rungs.enter("t0001", 1, losses(5.0, 1.0))
    assert verdict is not None
    assert verdict.of == 1
