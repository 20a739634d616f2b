"""The status of a run, from its folder."""

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
from suite.trial import TrialConfig
from tests.support.run_folders import info_of, write_run
from tests.support.runs import trial_result


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status_text(capsys: pytest.CaptureFixture[str], *request: str) -> str:
    assert main(["status", *request]) == 0
    return capsys.readouterr().out


def test_a_finished_run(here: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(here / "run", store.folder)
    assert status_text(capsys, "run").splitlines() == [
        "small, finished, begun 2026-11-23T22:10:00+00:00",
        "2 of 2 trials ended: 2 finished",
        "best validation MAE 6.50 years, front 1, 1 min 15 s of work",
    ]


def test_a_name_of_any_length_leaves_the_status_readable(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    fields = json.loads((here / "run" / "run.json").read_text()) | {"name": "long " * 20_000}
    (here / "run" / "run.json").write_text(json.dumps(fields))
    assert max(map(len, status_text(capsys, "run").splitlines())) < 2_100


def test_compressed_networks_and_shorter_trainings_do_not_count_as_confirming(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    ledger = RunLedger(here / "run")
    for trial_id, stage in {"t0000-p1": "pruned", "t0000-p1-int8": "int8", "t0000-s1": "confirm"}.items():
        ledger.add_trial(trial_result(trial_id, stage=stage, parent="t0000"))  # as short as in the search
    longer = TrialConfig(epochs=4 * TrialConfig().epochs)
    ledger.add_trial(trial_result("t0000-s1-e48", stage="confirm", config=longer, parent="t0000"))
    assert "confirming the front: 1 trainings ended" in status_text(capsys, "run")


def test_a_run_in_progress_and_one_whose_driver_was_killed(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "a run", store.folder, run="running", trial="diverged")
    with (here / "a run" / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = json.loads(status_text(capsys, "a run", "--json"))
    assert (found["status"], found["trials"], found["best_mae"]) == ("running", {"diverged": 2}, None)
    assert found["seconds_left"] == 0
    lines = status_text(capsys, "a run").splitlines()
    assert lines[0].startswith("small, killed")
    assert lines[-1] == "go on with: suite resume 'a run'"


def test_a_run_without_trials(here: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "run").mkdir()
    write_info(here / "run", info_of(store.folder, "interrupted"))
    assert "0 of 2 trials ended\nbest validation MAE -, front 0" in status_text(capsys, "run")


@pytest.mark.usefixtures("here")
def test_a_missing_run_is_refused_in_one_sentence(bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    for location, complaint in {
        "nosuch": "nosuch is not a run folder",
        f"s3://{bucket}/a": "holds no run",
    }.items():
        assert main(["status", location]) == 2
        refused = capsys.readouterr().err
        assert complaint in refused
        assert len(refused.splitlines()) == 1


def test_a_driver_on_object_storage_is_active_while_its_lease_changes(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.05)
    objects = open_object_folder(f"s3://{bucket}/a")
    assert not lease.is_leased(objects)
    held = lease.Lease(objects, "one")
    held.acquire(dead=None, report=print)
    assert lease.is_leased(objects)
    held._ended.set()  # as a killed driver leaves it
    held._thread.join()
    assert not lease.is_leased(objects)
