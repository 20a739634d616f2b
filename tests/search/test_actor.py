"""What an actor does with a request; Ray does not run."""

import time
from pathlib import Path
from typing import Any

import pytest

from suite.data.store import Store
from suite.search import actor
from suite.search.actor import TrialActor, TrialReport, TrialRequest
from suite.search.driver_files import DriverFiles
from suite.trial import TrialConfig

CONFIG = TrialConfig(widths=(2,) * 5, depths=(1,) * 5, epochs=1, resolution=32)


def files(store: Store, run_folder: Path) -> DriverFiles:
    return DriverFiles(str(store.folder), store.info.fingerprint, str(run_folder))


def reported(trial: TrialActor) -> TrialReport:
    report: TrialReport = trial.step()["report"]
    return report


def test_a_trial_begins_when_its_actor_gets_it(store: Store, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    request = TrialRequest("t0000", CONFIG, files(store, tmp_path), threads=1, device="cpu")
    before = time.time()
    first = TrialActor({"request": request})
    earlier = reported(first)
    assert (earlier.status, earlier.cause) == ("finished", "")
    between = time.time()
    assert first.reset_config({"request": request})
    later = reported(first)
    assert before <= earlier.began <= between - earlier.seconds + 0.1
    assert between <= later.began <= time.time()


def test_a_trial_trains_on_the_device_that_the_request_names(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def fit(
        config: TrialConfig, dataset: object, *, threads: int, device: str | None, network: object
    ) -> object:
        assert network is None  # it is cut out of none
        asked.append((threads, device))
        raise RuntimeError("far enough")

    monkeypatch.setattr(actor, "fit", fit)
    for device in ("cpu", None):
        request = TrialRequest("t0000", CONFIG, files(store, tmp_path), threads=3, device=device)
        assert reported(TrialActor({"request": request})).cause == "RuntimeError: far enough"
    assert asked == [(3, "cpu"), (3, None)]
