"""What the searcher makes of what Ray Tune and the actors tell it; Ray does not run."""

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import pytest

from search_spaces import load_dict
from suite.data.store import LabelRange
from suite.runs import RunLedger
from suite.search.actor import TrialReport
from suite.search.driver_files import DriverFiles
from suite.search.searcher import StudySearcher, TellsBegins, TrialsOf
from suite.search.study import open_study
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
    monkeypatch.setattr("suite.search.searcher.time", clock)
    return clock


@pytest.fixture
def searcher(tmp_path: Path, clock: Clock) -> StudySearcher:
    """Of a search whose earlier sittings took 100 seconds."""
    return StudySearcher(
        open_study(SPACE, tmp_path, concurrent=2),
        RunLedger(tmp_path),
        TrialsOf(
            SPACE, LabelRange(0, 100, 1), DriverFiles("store", "", str(tmp_path)), threads=1, device=None
        ),
        on_change=lambda *_: None,
        seconds_before=100.0,
    )


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
    searcher: StudySearcher, clock: Clock
) -> None:
    searcher.suggest("a")
    clock.now = 30.0
    searcher.on_trial_complete("a", report(clock, began=20.0))
    (row,) = searcher.ledger.rows
    assert (row["started"], row["seconds"]) == (120.0, 10.0)


def test_a_trial_that_waits_for_its_actor_has_not_begun(searcher: StudySearcher, clock: Clock) -> None:
    searcher.suggest("a")
    searcher.suggest("b")
    clock.now = 7.0
    TellsBegins(searcher).on_trial_start(1, [], type("Trial", (), {"trial_id": "b"}))
    assert {name: trial.begun for name, trial in searcher.running.items()} == {"a": None, "b": 107.0}


def test_a_trial_whose_process_was_lost_without_a_word_started_when_it_was_seen_to(
    searcher: StudySearcher, clock: Clock
) -> None:
    searcher.suggest("a")
    clock.now = 7.0
    searcher.on_trial_start("a")
    clock.now = 9.0
    searcher.on_trial_complete("a", None, error=True)
    (row,) = searcher.ledger.rows
    assert (row["status"], row["started"], row["seconds"]) == ("failed", 107.0, 2.0)
    assert "worker process was lost" in row["cause"]


def test_tune_can_pickle_a_searcher_whatever_watches_it(searcher: StudySearcher) -> None:
    searcher._on_change = open(__file__)  # type: ignore[assignment]  # noqa: SIM115 (a file is no pickle)
    pickle.dumps(TellsBegins(searcher))
    searcher._on_change.close()  # type: ignore[attr-defined]
