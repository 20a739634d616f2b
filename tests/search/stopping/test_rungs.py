"""What a search's rungs know and say; Ray does not run."""

import pytest

from suite.search.stopping.rungs import RungRule, Rungs

FRONT = RungRule(objectives=("val_mae", "params"), rungs=(1, 3), reduction_factor=3)
ERROR = RungRule(objectives=("val_mae",), rungs=(1, 3), reduction_factor=3)


def losses(error: float, params: float) -> dict[str, float]:
    return {"val_mae": error, "params": params, "macs": 1.0, "bytes": 1.0}


def test_between_rungs_nothing_is_decided() -> None:
    assert Rungs(FRONT).record("t0000", 2, losses(5.0, 100.0)) is None


def test_the_first_trials_pass_because_a_rung_with_fewer_than_the_factor_decides_nothing() -> None:
    rungs = Rungs(ERROR)
    decisions = [rungs.record(f"t{i}", 1, losses(5.0 + i, 100.0)) for i in range(4)]
    assert [decision.goes_on for decision in decisions if decision] == [True, True, False, False]


def test_each_smaller_network_goes_on_by_front_and_not_by_error() -> None:
    going_on = {}
    for rule in (FRONT, ERROR):
        rungs = Rungs(rule)
        decisions = [rungs.record(f"t{i}", 1, losses(5.0 + i, 1e6 / 2**i)) for i in range(9)]
        going_on[rule.measure] = sum(decision.goes_on for decision in decisions if decision)
    assert going_on == {"front rank": 9, "validation error": 2}


def test_a_rung_knows_nothing_of_another() -> None:
    rungs = Rungs(ERROR)
    for i in range(6):
        rungs.record(f"t{i}", 1, losses(1.0, 1.0))
    decision = rungs.record("t9", 3, losses(50.0, 1.0))
    assert decision is not None
    assert (decision.goes_on, decision.of) == (True, 1)


def test_the_cause_tells_the_rung_the_rank_and_how_many_go_on() -> None:
    rungs = Rungs(FRONT)
    for i in range(11):
        rungs.record(f"t{i}", 3, losses(1.0 + i, 1.0 + i))
    decision = rungs.record("t12", 3, losses(8.5, 8.5))
    assert decision is not None
    assert rungs.cause(3, decision) == "9th of 12 by front rank at epoch 3, where the first 4 go on"


@pytest.mark.parametrize(
    ("rank", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (113, "113th")],
)
def test_ranks_are_ordinals(rank: int, words: str) -> None:
    rungs = Rungs(ERROR)
    for i in range(120):
        rungs.record(f"t{i}", 1, losses(float(i), 1.0))
    decision = rungs.record("new", 1, losses(rank - 1.5, 1.0))
    assert decision is not None
    assert rungs.cause(1, decision).startswith(f"{words} of 121 by validation error")
