"""Runs on object storage: what is stored at which moment, and who may work on them."""

import contextlib
import io
import math
import signal
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from suite.data.store import Store
from suite.errors import RequestError, UnfinishedError
from suite.runs.info import write_info
from suite.runs.ledger import RunLedger
from suite.runs.storage import lease, mirror, working_folder
from suite.runs.storage.lease import LEASE, Lease
from suite.runs.storage.location import read_run_at, write_report_at
from suite.runs.storage.mirror import STATE, read_state
from suite.runs.storage.object_storage import ObjectFolder, open_object_folder
from suite.runs.storage.working_folder import WorkingFolder
from suite.runs.watcher import SearchProgress
from suite.trial import TrialResult
from tests.support.run_folders import info_of
from tests.support.runs import trial_result

PROGRESS = SearchProgress(4, 1, 1, 0, 0, 0.25, 6.5, "years", 1, 10.0, 30.0)


class Recorder:
    """A watcher that records what is reported to it."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def stage(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        if ended is not None:
            self.sentences.append(ended.id)

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(lease, "EXPIRY_SECONDS", 1.5)
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(working_folder, "LAST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(working_folder, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def url(bucket: str) -> str:
    return f"s3://{bucket}/runs/a"


class Machine:
    """A machine with a disk of its own, which works on a run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cache, self._patch = folder, monkeypatch
        self.watcher = Recorder()

    def at(self, url: str, expects: Any) -> Any:
        self._patch.setenv("SUITE_CACHE", str(self.cache))
        return working_folder.open_working_folder(url, self.watcher, expects=expects)

    def left(self) -> list[Path]:
        """Folders of runs on this disk."""
        return [entry for entry in (self.cache / "runs").glob("*") if entry.is_dir()]


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Machine, Machine]:
    return Machine(tmp_path / "one", monkeypatch), Machine(tmp_path / "two", monkeypatch)


def begin(at: WorkingFolder, store: Store) -> RunLedger:
    (at.folder / "weights").mkdir(exist_ok=True)
    write_info(at.folder, info_of(store.folder, "running"))
    return RunLedger(at.folder)


def end_trial(at: WorkingFolder, ledger: RunLedger, trial_id: str) -> None:
    """What a driver does when a trial ends."""
    (at.folder / "weights" / f"{trial_id}.safetensors").write_bytes(trial_id.encode() * 100)
    (at.folder / "weights" / "t9999.safetensors.partial").write_bytes(b"half")
    (at.folder / "study.journal").write_text("\n".join(row["id"] for row in ledger.rows))
    result = trial_result(trial_id)
    ledger.add_trial(result)
    at.watcher.change(PROGRESS, result)


def worked(
    machine: Machine, url: str, work: Callable[[WorkingFolder], object], expects: Any = "nothing"
) -> None:
    """A session in which ``work`` is done."""
    with machine.at(url, expects) as at:
        work(at)


def killed_after(machine: Machine, url: str, work: Callable[[WorkingFolder], object]) -> None:
    """A session that ``kill -9`` ends after ``work``: nothing is uploaded after that, and the lease stays."""

    class Killed(BaseException):
        pass

    def work_and_die(at: WorkingFolder) -> None:
        work(at)
        raise Killed

    def stop_heartbeat(lease: Lease) -> None:
        lease._ended.set()
        lease._thread.join()  # a heartbeat in progress would come after the death

    with pytest.MonkeyPatch.context() as dead, contextlib.suppress(Killed):
        dead.setattr(working_folder._UploadingWatcher, "finish", lambda self: None)
        dead.setattr(Lease, "release", stop_heartbeat)
        worked(machine, url, work_and_die)


def test_a_trial_is_on_the_storage_before_its_end_is_reported(
    url: str, machines: tuple[Machine, Machine], store: Store
) -> None:
    here, _ = machines
    objects = open_object_folder(url)
    seen: list[list[str]] = []
    here.watcher.change = lambda progress, ended: seen.append(list(read_run_at(url).trials["id"]))  # type: ignore[method-assign]
    with here.at(url, "nothing") as at:
        ledger = begin(at, store)
        end_trial(at, ledger, "t0000")
        end_trial(at, ledger, "t0001")
        assert LEASE in objects.names()
    assert seen == [["t0000"], ["t0000", "t0001"]]
    weights = ["weights/t0000.safetensors", "weights/t0001.safetensors"]
    assert objects.names() == ["run.json", STATE, "trials.parquet", *weights]
    assert here.left() == []


def test_checkpoints_of_trials_in_progress_are_uploaded_and_deleted_when_their_trial_ends(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = machines
    monkeypatch.setattr(mirror, "CHECKPOINT_INTERVAL", 0)
    objects = open_object_folder(url)

    def save(at: WorkingFolder, trial_id: str) -> Path:
        (at.folder / "checkpoints").mkdir(exist_ok=True)
        path = at.folder / "checkpoints" / f"{trial_id}.pt"
        path.write_bytes(trial_id.encode())
        path.with_name("t9999.pt.17.partial").write_bytes(b"half")
        return path

    def two_trials(at: WorkingFolder) -> None:
        ledger = begin(at, store)
        first, _ = save(at, "t0001"), save(at, "t0002")
        end_trial(at, ledger, "t0000")
        kept = [name for name in objects.names() if name.startswith("checkpoints/")]
        assert kept == ["checkpoints/t0001.pt", "checkpoints/t0002.pt"]
        first.unlink()
        end_trial(at, ledger, "t0001")

    killed_after(here, url, two_trials)
    assert [name for name in objects.names() if name.startswith("checkpoints/")] == ["checkpoints/t0002.pt"]
    with there.at(url, "run") as at:
        assert (at.folder / "checkpoints" / "t0002.pt").read_bytes() == b"t0002"


def test_weights_are_uploaded_before_the_row_that_refers_to_them(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines
    order: list[str] = []
    upload, write = ObjectFolder.upload, ObjectFolder.write

    def note_upload(self: ObjectFolder, name: str, file: Path) -> None:
        order.append(name)
        upload(self, name, file)

    def note_write(self: ObjectFolder, name: str, content: bytes) -> None:
        order.append(name)
        write(self, name, content)

    monkeypatch.setattr(ObjectFolder, "upload", note_upload)
    monkeypatch.setattr(ObjectFolder, "write", note_write)
    with here.at(url, "nothing") as at:
        end_trial(at, begin(at, store), "t0000")
    of_the_run = [name for name in order if name != LEASE]
    assert of_the_run == ["weights/t0000.safetensors", STATE, "run.json", "trials.parquet"]


def test_another_machine_continues_the_run_of_a_killed_driver(
    url: str, machines: tuple[Machine, Machine], store: Store
) -> None:
    here, there = machines
    killed_after(here, url, lambda at: end_trial(at, begin(at, store), "t0000"))
    with there.at(url, "run") as at:
        assert (at.folder / "weights" / "t0000.safetensors").read_bytes() == b"t0000" * 100
        ledger = RunLedger(at.folder)
        assert [row["id"] for row in ledger.rows] == ["t0000"]
        end_trial(at, ledger, "t0001")
    assert any("watching for" in sentence for sentence in there.watcher.sentences)
    assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001"]
    # The first machine comes back: what it has is older.
    with here.at(url, "run") as at:
        assert [row["id"] for row in RunLedger(at.folder).rows] == ["t0000", "t0001"]
    assert any("what was here is now in" in sentence for sentence in here.watcher.sentences)


def test_the_same_machine_continues_at_once_with_what_the_storage_lacks(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines

    def work(at: WorkingFolder) -> None:
        ledger = begin(at, store)
        end_trial(at, ledger, "t0000")
        ledger.add_trial(trial_result("t0001"))

    killed_after(here, url, work)
    assert list(read_run_at(url).trials["id"]) == ["t0000"]
    monkeypatch.setattr(lease, "EXPIRY_SECONDS", 600.0)  # nobody needs to wait for a process that is dead
    with here.at(url, "run") as at:
        assert [row["id"] for row in RunLedger(at.folder).rows] == ["t0000", "t0001"]
        assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001"]


def test_a_run_with_an_active_driver_is_refused(
    url: str, machines: tuple[Machine, Machine], store: Store
) -> None:
    here, there = machines
    with here.at(url, "nothing") as at:
        end_trial(at, begin(at, store), "t0000")
        with pytest.raises(RequestError, match=r"a search is at work in s3://.* wait until it has ended"):
            there.at(url, "run").__enter__()
        with pytest.raises(RequestError, match="on this machine"):
            here.at(url, "run").__enter__()
        end_trial(at, RunLedger(at.folder), "t0001")
    assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001"]


@pytest.mark.parametrize(
    "handler", [signal.default_int_handler, signal.SIG_IGN]
)  # a terminal, the background
def test_a_driver_whose_run_was_taken_over_stops_and_writes_nothing_more(
    handler: Any,
    url: str,
    machines: tuple[Machine, Machine],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    before_the_test = signal.signal(signal.SIGINT, handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before_the_test))
    here, _ = machines
    objects = open_object_folder(url)
    before: list[bytes | None] = []

    def work(at: WorkingFolder) -> None:
        ledger = begin(at, store)
        end_trial(at, ledger, "t0000")
        # As after minutes without a network: its lease has expired, and another machine has taken over the run.
        monkeypatch.setattr(Lease, "_write", lambda self: None)
        time.sleep(0.2)
        objects.write(LEASE, b'{"process": "another", "host": "elsewhere", "pid": 7}')
        before.append(objects.read(STATE))
        end_trial(at, ledger, "t0001")

    with pytest.raises(KeyboardInterrupt):
        worked(here, url, work)
    assert [objects.read(STATE)] == before
    assert objects.read(LEASE) is not None
    assert any("on elsewhere, process 7" in sentence for sentence in here.watcher.sentences)
    assert len(here.left()) == 1  # and nothing is thrown away


def test_storage_that_fails_for_a_while_does_not_stop_a_search(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines

    def fails(self: ObjectFolder, name: str, content: object) -> None:
        raise OSError(
            "AWS Error NETWORK_CONNECTION during PutObject operation: curlCode: 7, Could not connect"
        )

    with here.at(url, "nothing") as at:
        ledger = begin(at, store)
        end_trial(at, ledger, "t0000")
        with monkeypatch.context() as broken:
            broken.setattr(ObjectFolder, "upload", fails)
            broken.setattr(ObjectFolder, "write", fails)
            end_trial(at, ledger, "t0001")
        assert list(read_run_at(url).trials["id"]) == ["t0000"]
        end_trial(at, ledger, "t0002")
        assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001", "t0002"]
    said = [
        sentence for sentence in here.watcher.sentences if "cannot be reached (AWS Error NETW" in sentence
    ]
    assert len(said) == 1


def test_storage_that_cannot_be_reached_at_the_end_loses_nothing(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines

    def fails(self: ObjectFolder, name: str, content: object) -> None:
        raise OSError("Could not connect")

    with monkeypatch.context() as broken:

        def work(at: WorkingFolder) -> None:
            ledger = begin(at, store)
            end_trial(at, ledger, "t0000")
            broken.setattr(ObjectFolder, "upload", fails)
            broken.setattr(ObjectFolder, "write", fails)
            end_trial(at, ledger, "t0001")

        with pytest.raises(UnfinishedError) as failed:
            worked(here, url, work)
    assert f"'suite resume {url}' on this machine sends it" in str(failed.value)
    assert str(here.left()[0]) in str(failed.value)
    with here.at(url, "run"):
        pass
    assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001"]
    assert here.left() == []


def test_a_refused_run_leaves_nothing(url: str, machines: tuple[Machine, Machine], store: Store) -> None:
    here, there = machines
    objects = open_object_folder(url)
    with pytest.raises(RequestError, match="holds no run"):
        here.at(url, "run").__enter__()
    with pytest.raises(RequestError, match="holds no run"):
        read_run_at(url)
    with pytest.raises(RequestError, match="refused"), here.at(url, "nothing"):
        raise RequestError("the search was refused")
    assert (objects.names(), here.left()) == ([], [])
    with here.at(url, "either") as at:
        begin(at, store)
    with pytest.raises(RequestError, match=r"is not empty; choose another --out, or .*'suite resume s3://"):
        there.at(url, "nothing").__enter__()


def test_the_tables_can_be_read_with_pandas(
    url: str, machines: tuple[Machine, Machine], store: Store
) -> None:
    here, _ = machines
    with here.at(url, "nothing") as at:
        end_trial(at, begin(at, store), "t0000")
    objects = open_object_folder(url)
    table = pd.read_parquet(f"{objects.base}/trials.parquet", filesystem=objects.filesystem)
    assert list(table["id"]) == ["t0000"]
    assert math.isclose(table["val_mae_years"][0], 6.5)
    assert write_report_at(url, "<html>") == f"{url}/report.html"
    assert objects.read("report.html") == b"<html>"


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"\0" * 2000])
def test_an_object_that_is_not_a_state_is_refused(content: bytes, url: str) -> None:
    objects = open_object_folder(url)
    objects.write(STATE, content)
    with pytest.raises(RequestError, match="is not "):
        read_run_at(url)


@pytest.mark.parametrize("name", ["../outside", "/outside", ".."])
def test_a_state_cannot_write_outside_its_folder(name: str, url: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    objects = open_object_folder(url)
    objects.write(STATE, packed.getvalue())
    with pytest.raises(RequestError, match="is not a plain file"):
        read_state(objects)
