"""How a run stands, by its folder."""

import dataclasses
import fcntl
import json
from pathlib import Path

import pytest

from suite.cli.main import main
from suite.data.store import Store
from suite.runs.info import write_info
from suite.runs.ledger import RunLedger
from suite.runs.storage import lease
from suite.runs.storage.object_storage import open_object_folder
from tests.support.run_folders import ended_trial, info_of, write_run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *request: str) -> str:
    assert main(["status", *request]) == 0
    return capsys.readouterr().out


def test_a_finished_run(here: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(here / "run", store.folder)
    assert said(capsys, "run").splitlines() == [
        "small, finished, begun 2026-11-23T22:10:00+00:00",
        "2 of 2 trials ended: 2 finished",
        "best validation MAE 6.50 years, front 1, 1 min 15 s of work",
    ]


def test_what_was_compressed_is_no_confirming_training(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    ledger = RunLedger(here / "run")
    for trial_id, stage in {"t0000-s1": "confirm", "t0000-p1": "pruned", "t0000-p1-int8": "int8"}.items():
        ledger.add_trial(dataclasses.replace(ended_trial(), id=trial_id, stage=stage, parent="t0000"))
    assert "confirming the front: 1 trainings ended" in said(capsys, "run")


def test_a_run_in_progress_and_one_whose_driver_is_dead(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "a run", store.folder, run="running", trial="diverged")
    with (here / "a run" / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = json.loads(said(capsys, "a run", "--json"))
    assert (found["status"], found["trials"], found["best_mae"]) == ("running", {"diverged": 2}, None)
    assert found["seconds_left"] == 0
    lines = said(capsys, "a run").splitlines()
    assert lines[0].startswith("small, killed")
    assert lines[-1] == "go on with: suite resume 'a run'"


def test_a_run_without_trials(here: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "run").mkdir()
    write_info(here / "run", info_of(store.folder, "interrupted"))
    assert "0 of 2 trials ended\nbest validation MAE -, front 0" in said(capsys, "run")


@pytest.mark.usefixtures("here")
def test_no_run_is_one_sentence(bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    for place, complaint in {"nosuch": "nosuch is no run folder", f"s3://{bucket}/a": "holds no run"}.items():
        assert main(["status", place]) == 2
        refused = capsys.readouterr().err
        assert complaint in refused
        assert len(refused.splitlines()) == 1


def test_a_driver_on_object_storage_is_alive_while_its_sign_changes(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.05)
    objects = open_object_folder(f"s3://{bucket}/a")
    assert not lease.is_signed(objects)
    signed = lease.Lease(objects, "one")
    signed.take(dead=None, say=print)
    assert lease.is_signed(objects)
    signed._ended.set()  # as a killed driver leaves it
    signed._thread.join()
    assert not lease.is_signed(objects)
