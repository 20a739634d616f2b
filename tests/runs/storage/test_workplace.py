"""Runs on object storage: what is there after which moment, and who may work on them."""

import contextlib
import dataclasses
import io
import math
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
from suite.runs.storage import lease, mirror, workplace
from suite.runs.storage.lease import SIGN, Lease
from suite.runs.storage.mirror import STATE, read_state
from suite.runs.storage.object_storage import ObjectFolder, open_object_folder
from suite.runs.storage.workplace import Workplace, read_run_at, write_report_at
from suite.runs.watcher import SearchProgress
from suite.trial import TrialResult
from tests.support.run_folders import ended_trial, info_of

STANDING = SearchProgress(4, 1, 1, 0, 0, 0.25, 6.5, "years", 1, 10.0, 30.0)


class Hears:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def stage(self, sentence: str) -> None:
        self.said.append(sentence)

    def change(self, standing: SearchProgress, ended: TrialResult | None) -> None:
        if ended is not None:
            self.said.append(ended.id)

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(lease, "SILENCE_SECONDS", 1.5)
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(workplace, "LAST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(workplace, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def url(bucket: str) -> str:
    return f"s3://{bucket}/runs/a"


class Machine:
    """A machine with a disk of its own, which works on a run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cache, self._patch = folder, monkeypatch
        self.hears = Hears()

    def at(self, url: str, expects: Any) -> Any:
        self._patch.setenv("SUITE_CACHE", str(self.cache))
        return workplace.workplace(url, self.hears, expects=expects)

    def left(self) -> list[Path]:
        """Folders of runs on this disk."""
        return [entry for entry in (self.cache / "runs").glob("*") if entry.is_dir()]


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Machine, Machine]:
    return Machine(tmp_path / "one", monkeypatch), Machine(tmp_path / "two", monkeypatch)


def begin(at: Workplace, store: Store) -> RunLedger:
    (at.folder / "weights").mkdir(exist_ok=True)
    write_info(at.folder, info_of(store.folder, "running"))
    return RunLedger(at.folder)


def end_trial(at: Workplace, ledger: RunLedger, trial_id: str) -> None:
    """What a driver does when a trial ends."""
    (at.folder / "weights" / f"{trial_id}.safetensors").write_bytes(trial_id.encode() * 100)
    (at.folder / "weights" / "t9999.safetensors.partial").write_bytes(b"half")
    (at.folder / "study.journal").write_text("\n".join(row["id"] for row in ledger.rows))
    result = dataclasses.replace(ended_trial(), id=trial_id)
    ledger.add_trial(result)
    at.watcher.change(STANDING, result)


def worked(machine: Machine, url: str, work: Callable[[Workplace], object], expects: Any = "nothing") -> None:
    """A session in which ``work`` is done."""
    with machine.at(url, expects) as at:
        work(at)


def killed_after(machine: Machine, url: str, work: Callable[[Workplace], object]) -> None:
    """A session that ``kill -9`` ends after ``work``: nothing is sent after that, and the sign stays."""

    class Killed(BaseException):
        pass

    def work_and_die(at: Workplace) -> None:
        work(at)
        raise Killed

    def stop_beating(lease: Lease) -> None:
        lease._ended.set()
        lease._thread.join()  # a beat that is under way would come after the death

    with pytest.MonkeyPatch.context() as dead, contextlib.suppress(Killed):
        dead.setattr(workplace._Sending, "finish", lambda self: None)
        dead.setattr(Lease, "release", stop_beating)
        worked(machine, url, work_and_die)


def test_a_trial_is_on_the_storage_before_anybody_hears_of_it(
    url: str, machines: tuple[Machine, Machine], store: Store
) -> None:
    here, _ = machines
    objects = open_object_folder(url)
    seen: list[list[str]] = []
    here.hears.change = lambda standing, ended: seen.append(list(read_run_at(url).trials["id"]))  # type: ignore[method-assign]
    with here.at(url, "nothing") as at:
        ledger = begin(at, store)
        end_trial(at, ledger, "t0000")
        end_trial(at, ledger, "t0001")
        assert SIGN in objects.names()
    assert seen == [["t0000"], ["t0000", "t0001"]]
    weights = ["weights/t0000.safetensors", "weights/t0001.safetensors"]
    assert objects.names() == ["run.json", STATE, "trials.parquet", *weights]
    assert here.left() == []


def test_checkpoints_of_trials_under_way_are_sent_and_go_with_the_end_of_their_trial(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = machines
    monkeypatch.setattr(mirror, "TIMES_BACK", 0)
    objects = open_object_folder(url)

    def save(at: Workplace, trial_id: str) -> Path:
        (at.folder / "checkpoints").mkdir(exist_ok=True)
        path = at.folder / "checkpoints" / f"{trial_id}.pt"
        path.write_bytes(trial_id.encode())
        path.with_name("t9999.pt.17.partial").write_bytes(b"half")
        return path

    def two_trials(at: Workplace) -> None:
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


def test_weights_are_there_before_the_row_that_speaks_of_them(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines
    order: list[str] = []
    send, write = ObjectFolder.send, ObjectFolder.write

    def note_send(self: ObjectFolder, name: str, file: Path) -> None:
        order.append(name)
        send(self, name, file)

    def note_write(self: ObjectFolder, name: str, content: bytes) -> None:
        order.append(name)
        write(self, name, content)

    monkeypatch.setattr(ObjectFolder, "send", note_send)
    monkeypatch.setattr(ObjectFolder, "write", note_write)
    with here.at(url, "nothing") as at:
        end_trial(at, begin(at, store), "t0000")
    of_the_run = [name for name in order if name != SIGN]
    assert of_the_run == ["weights/t0000.safetensors", STATE, "run.json", "trials.parquet"]


def test_another_machine_goes_on_where_a_killed_driver_was(
    url: str, machines: tuple[Machine, Machine], store: Store
) -> None:
    here, there = machines
    killed_after(here, url, lambda at: end_trial(at, begin(at, store), "t0000"))
    with there.at(url, "run") as at:
        assert (at.folder / "weights" / "t0000.safetensors").read_bytes() == b"t0000" * 100
        ledger = RunLedger(at.folder)
        assert [row["id"] for row in ledger.rows] == ["t0000"]
        end_trial(at, ledger, "t0001")
    assert any("watching for" in sentence for sentence in there.hears.said)
    assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001"]
    # The first machine comes back: what it has is older.
    with here.at(url, "run") as at:
        assert [row["id"] for row in RunLedger(at.folder).rows] == ["t0000", "t0001"]
    assert any("what was here is now in" in sentence for sentence in here.hears.said)


def test_the_same_machine_goes_on_at_once_with_what_the_storage_lacks(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines

    def work(at: Workplace) -> None:
        ledger = begin(at, store)
        end_trial(at, ledger, "t0000")
        ledger.add_trial(dataclasses.replace(ended_trial(), id="t0001"))

    killed_after(here, url, work)
    assert list(read_run_at(url).trials["id"]) == ["t0000"]
    monkeypatch.setattr(lease, "SILENCE_SECONDS", 600.0)  # nobody needs to wait for a process that is dead
    with here.at(url, "run") as at:
        assert [row["id"] for row in RunLedger(at.folder).rows] == ["t0000", "t0001"]
        assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001"]


def test_a_run_that_somebody_works_on_is_refused(
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


def test_a_driver_whose_run_was_taken_stops_and_writes_no_more(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines
    objects = open_object_folder(url)
    before: list[bytes | None] = []

    def work(at: Workplace) -> None:
        ledger = begin(at, store)
        end_trial(at, ledger, "t0000")
        # As after minutes without a network: its sign has stood still, and another machine took the run.
        monkeypatch.setattr(Lease, "_write", lambda self: None)
        time.sleep(0.2)
        objects.write(SIGN, b'{"process": "another", "host": "elsewhere", "pid": 7}')
        before.append(objects.read(STATE))
        end_trial(at, ledger, "t0001")

    with pytest.raises(KeyboardInterrupt):
        worked(here, url, work)
    assert [objects.read(STATE)] == before
    assert objects.read(SIGN) is not None
    assert any("on elsewhere, process 7" in sentence for sentence in here.hears.said)
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
            broken.setattr(ObjectFolder, "send", fails)
            broken.setattr(ObjectFolder, "write", fails)
            end_trial(at, ledger, "t0001")
        assert list(read_run_at(url).trials["id"]) == ["t0000"]
        end_trial(at, ledger, "t0002")
        assert list(read_run_at(url).trials["id"]) == ["t0000", "t0001", "t0002"]
    said = [sentence for sentence in here.hears.said if "cannot be reached (AWS Error NETW" in sentence]
    assert len(said) == 1


def test_storage_that_is_out_of_reach_at_the_end_loses_nothing(
    url: str, machines: tuple[Machine, Machine], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines

    def fails(self: ObjectFolder, name: str, content: object) -> None:
        raise OSError("Could not connect")

    with monkeypatch.context() as broken:

        def work(at: Workplace) -> None:
            ledger = begin(at, store)
            end_trial(at, ledger, "t0000")
            broken.setattr(ObjectFolder, "send", fails)
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


def test_what_is_refused_leaves_nothing(url: str, machines: tuple[Machine, Machine], store: Store) -> None:
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


def test_people_read_the_tables_with_pandas(
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
def test_a_state_that_is_none_is_refused(content: bytes, url: str) -> None:
    objects = open_object_folder(url)
    objects.write(STATE, content)
    with pytest.raises(RequestError, match="is no "):
        read_run_at(url)


def test_a_state_cannot_write_outside_of_its_folder(url: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("../outside", "/outside", "..", "run.json"):
            archive.addfile(tarfile.TarInfo(name))
    objects = open_object_folder(url)
    objects.write(STATE, packed.getvalue())
    state = read_state(objects)
    assert state is not None
    assert set(state.content) == {"run.json"}
