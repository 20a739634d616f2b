"""What an actor does with a request; Ray does not run."""

import dataclasses
import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.data.store import Store
from suite.search.tune import trial_training
from suite.search.tune.actor import TrialActor
from suite.search.tune.file_server import DriverFiles
from suite.search.tune.messages import TrialReport, TrialRequest
from suite.training.checkpoints import CheckpointTimer
from suite.trial import TrialConfig

CONFIG = TrialConfig(widths=(2,) * 5, depths=(1,) * 5, epochs=1, resolution=32)


def files(store: Store, run_folder: Path) -> DriverFiles:
    return DriverFiles(str(store.folder), store.sampled_fingerprint, str(run_folder))


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

    monkeypatch.setattr(trial_training, "fit", fit)
    for device in ("cpu", None):
        request = TrialRequest("t0000", CONFIG, files(store, tmp_path), threads=3, device=device)
        assert reported(TrialActor({"request": request})).cause == "RuntimeError: far enough"
    assert asked == [(3, "cpu"), (3, None)]


class EachTime(CheckpointTimer):
    """As if saving took no time."""

    def save_if_due(self, save: Callable[[], None]) -> None:
        save()


def test_an_actor_goes_on_where_another_was_lost(store: Store, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    config = dataclasses.replace(CONFIG, epochs=3)
    request = TrialRequest("t0000", config, files(store, tmp_path), threads=1, device="cpu")
    lost = TrialActor({"request": request})
    lost._checkpoint_timer = EachTime()
    first = reported(lost)
    assert (first.ended, first.earlier_epochs) == (False, ())
    assert [file.name for file in (tmp_path / "checkpoints").iterdir()] == ["t0000.pt"]
    time.sleep(0.3)
    began = time.time()
    second = TrialActor({"request": request})
    reports = [reported(second), reported(second)]
    assert [report.epoch.epoch for report in reports if report.epoch] == [2, 3]
    assert [report.earlier_epochs for report in reports] == [(first.epoch,), None]
    assert reports[1].status == "finished"
    # As if the trial had not been cut: the time in between does not count, that before does.
    assert reports[0].began == pytest.approx(began - first.seconds, abs=0.2)
    assert reports[1].seconds >= first.seconds

    whole = TrialActor({"request": dataclasses.replace(request, id="t0001")})
    expected = [reported(whole).epoch for _ in range(3)]
    assert [e.validation for e in expected if e] == [
        report.epoch.validation for report in (first, *reports) if report.epoch
    ]
    weights = [(tmp_path / "weights" / f"t000{i}.safetensors").read_bytes() for i in range(2)]
    assert weights[0] == weights[1]


def test_weights_without_room_are_not_a_fault_of_the_trial(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(trial_training, "save_network", no_room)
    request = TrialRequest("t0000", CONFIG, files(store, tmp_path), threads=1, device="cpu")
    report = reported(TrialActor({"request": request}))
    assert (report.ended, report.status, report.cause) == (True, "not-saved", "No space left on device")
