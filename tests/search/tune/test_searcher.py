"""What the searcher makes of what Ray Tune and the actors tell it; Ray does not run."""

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import optuna
import pytest

from search_spaces import load_dict
from suite.data.store import LabelRange
from suite.runs.ledger import RunLedger
from suite.search.study.proposals import StudyProposals
from suite.search.study.results import tell_missing
from suite.search.study.study import open_study
from suite.search.trial_factory import TrialFactory
from suite.search.tune.file_server import DriverFiles
from suite.search.tune.messages import TrialReport
from suite.search.tune.searcher import (
    SearchAbortedError,
    TrialEnvironment,
    TrialSearcher,
    TrialStartCallback,
)
from suite.trial import EpochResult, Metrics, Profile

SPACE = load_dict(
    {
        "name": "small",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": 4,
        "base": {"epochs": 1, "resolution": 32},
        "vary": {"learning_rate": {"low": 1e-3, "high": 1e-2}},
    }
)
TRIALS = TrialFactory(SPACE, LabelRange(0, 100, 1))
EPOCH = EpochResult(1, 1.0, 1.0, 1.0, 1e-3, 0.5, 10.0, Metrics(5.0, 6.0, 0.9, 0.3, 0.5, 0.8, None))


class Clock:
    """Wall clock and stopwatch, which the test moves."""

    now = 0.0

    def monotonic(self) -> float:
        return 50.0 + self.now

    def time(self) -> float:
        return 1_000_000.0 + self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("suite.search.tune.searcher.time", clock)
    return clock


@pytest.fixture
def searcher(tmp_path: Path, clock: Clock) -> TrialSearcher:
    """Of a search whose earlier sessions took 100 seconds."""
    return TrialSearcher(
        StudyProposals(open_study(SPACE, tmp_path, concurrent=2), TRIALS),
        RunLedger(tmp_path),
        TrialEnvironment(DriverFiles("store", "", str(tmp_path)), threads=1, device=None),
        on_change=lambda *_: None,
        seconds_before=100.0,
    )


def study_of(searcher: TrialSearcher) -> optuna.Study:
    assert isinstance(searcher.source, StudyProposals)
    return searcher.source.study


def report(clock: Clock, *, began: float, **changes: Any) -> dict[str, Any]:
    """The last report of a trial that began at that second."""
    ended = TrialReport(
        id="t0000",
        ended=True,
        status="finished",
        cause="",
        profile=Profile(1, 1, 1, 1),
        precision="float32",
        epoch=EPOCH,
        began=1_000_000.0 + began,
        seconds=clock.now - began,
    )
    return {"report": dataclasses.replace(ended, **changes)}


def test_a_trial_starts_when_its_actor_says_so_not_when_it_was_suggested(
    searcher: TrialSearcher, clock: Clock
) -> None:
    searcher.suggest("a")
    clock.now = 30.0
    searcher.on_trial_complete("a", report(clock, began=20.0))
    (row,) = searcher.ledger.rows
    assert (row["started"], row["seconds"]) == (120.0, 10.0)


def test_a_trial_that_waits_for_its_actor_has_not_begun(searcher: TrialSearcher, clock: Clock) -> None:
    searcher.suggest("a")
    searcher.suggest("b")
    clock.now = 7.0
    TrialStartCallback(searcher).on_trial_start(1, [], type("Trial", (), {"trial_id": "b"}))
    assert {name: trial.begun_at for name, trial in searcher.running.items()} == {"a": None, "b": 107.0}


def test_a_trial_whose_process_was_lost_without_a_word_started_when_it_was_seen_to(
    searcher: TrialSearcher, clock: Clock
) -> None:
    searcher.suggest("a")
    clock.now = 7.0
    searcher.on_trial_start("a")
    clock.now = 9.0
    searcher.on_trial_complete("a", None, error=True)
    (row,) = searcher.ledger.rows
    assert (row["status"], row["started"], row["seconds"]) == ("failed", 107.0, 2.0)
    assert "worker process was lost" in row["cause"]


def lost(searcher: TrialSearcher, error: Exception) -> None:
    """Ray Tune says that the actor of trial "a" was lost, and gives the trial to another."""
    trial = type("Trial", (), {"trial_id": "a", "get_error": lambda self: error})()
    TrialStartCallback(searcher).on_trial_recover(1, [], trial)


def test_a_trial_that_another_process_goes_on_with_has_every_epoch_once_and_all_of_its_seconds(
    searcher: TrialSearcher, clock: Clock
) -> None:
    def epoch(number: int, **changes: Any) -> dict[str, Any]:
        this = dataclasses.replace(EPOCH, epoch=number)
        return report(clock, **{"ended": False, "status": "running", "epoch": this, **changes})

    first = dataclasses.replace(EPOCH, epoch=1)
    searcher.suggest("a")
    clock.now = 10.0
    searcher.on_trial_result("a", epoch(1, began=0.0, earlier_epochs=()))
    searcher.on_trial_result("a", epoch(2, began=0.0))
    lost(searcher, RuntimeError("killed"))  # after a checkpoint of the first epoch
    assert searcher.running["a"].begun_at is None
    clock.now = 30.0
    searcher.on_trial_result(
        "a", epoch(2, began=20.0 - 5.0, earlier_epochs=(first,))
    )  # of which 5 s were before
    searcher.on_trial_complete("a", {"report": epoch(3, began=15.0, ended=True, status="finished")["report"]})
    (row,) = searcher.ledger.rows
    assert (row["status"], row["epochs_run"], row["started"], row["seconds"]) == ("finished", 3, 115.0, 15.0)
    assert [epoch["epoch"] for epoch in searcher.ledger.epochs_of("t0000")] == [1, 2, 3]


def test_a_trial_that_stays_lost_says_how_often_and_why(searcher: TrialSearcher) -> None:
    searcher.suggest("a")
    lost(searcher, RuntimeError("the worker died"))
    lost(searcher, RuntimeError("Worker exit type: NODE_OUT_OF_MEMORY"))
    searcher.on_trial_complete("a", None, error=True)
    (row,) = searcher.ledger.rows
    assert row["status"] == "failed"
    assert row["cause"] == (
        "its worker process was lost 3 times (ended by Ray because its node had hardly any memory left); "
        "Ray's errors are below tune/"
    )


def test_what_cannot_be_kept_ends_the_search_and_leaves_the_trial_under_way(
    searcher: TrialSearcher, clock: Clock
) -> None:
    searcher.suggest("a")
    with pytest.raises(
        SearchAbortedError, match=r"cannot be written to \(No space left on device\); what has ended"
    ):
        searcher.on_trial_complete(
            "a", report(clock, began=0.0, status="not-saved", cause="No space left on device")
        )
    assert searcher.ledger.rows == []
    assert [trial.state.name for trial in study_of(searcher).get_trials()] == ["RUNNING"]


def test_what_an_earlier_session_left_comes_first_under_its_own_name(
    searcher: TrialSearcher, clock: Clock, tmp_path: Path
) -> None:
    left = [searcher.suggest(name)["request"] for name in "ab"]  # type: ignore[index]
    study = open_study(SPACE, tmp_path, concurrent=2)
    tell_missing(study, [])
    again = TrialSearcher(
        StudyProposals(study, TRIALS), RunLedger(tmp_path), searcher.environment, on_change=lambda *_: None
    )
    taken = [again.suggest(name)["request"] for name in "xyz"]  # type: ignore[index]
    assert taken[:2] == left
    assert [request.id for request in taken] == ["t0000", "t0001", "t0002"]
    assert len(study.get_trials()) == 3


def test_the_checkpoint_of_a_trial_that_ended_is_removed(
    searcher: TrialSearcher, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in ("t0000.pt", "t0001.pt"):
        (tmp_path / "checkpoints" / name).touch()
    searcher.suggest("a")
    searcher.on_trial_complete("a", report(clock, began=0.0))
    assert [file.name for file in (tmp_path / "checkpoints").iterdir()] == ["t0001.pt"]


def test_tune_can_pickle_a_searcher_whatever_watches_it(searcher: TrialSearcher) -> None:
    searcher._on_change = open(__file__)  # type: ignore[assignment]  # noqa: SIM115 (a file is not a pickle)
    pickle.dumps(TrialStartCallback(searcher))
    searcher._on_change.close()  # type: ignore[attr-defined]
