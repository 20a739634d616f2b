"""What a group of workers is asked for, and what is said of one that failed; Ray does not run."""

import dataclasses
import threading
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from ray.exceptions import ActorDiedError
from ray.train import ControllerError, WorkerGroupError

from suite.data.store import Store
from suite.search.proposals import ElasticTraining
from suite.search.tune import trial_training, worker_group
from suite.search.tune.file_server import DriverFiles
from suite.search.tune.messages import TrialReport, TrialRequest, WorkerGroup
from suite.search.tune.worker_group import GroupActor, WorkerTraining, cause_of
from suite.training.data_parallel import DataParallel
from suite.trial import Profile, TrialConfig

TWO = ((4, 8),) * 5
ONE = ((1,),) * 5
CONFIG = TrialConfig(
    widths=(8,) * 5, depths=(1,) * 5, epochs=2, resolution=32, batch_size=32, train_images=64
)
PROFILE = Profile(params=1, macs=2, macs_at_224=3, bytes=4)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            WorkerGroupError("", {1: ValueError("Traceback ...\n  File x\nKeyError: 'age'\n")}),
            "its group of workers failed 4 times (KeyError: 'age')",
        ),
        (
            WorkerGroupError("", {0: RuntimeError("Connection closed by peer"), 1: ActorDiedError()}),
            "failed 4 times (a worker was lost: killed, perhaps by the system",
        ),
        (ControllerError(RuntimeError("no places")), "its group of workers failed (no places)"),
        (RuntimeError(), "its group of workers failed (RuntimeError)"),
    ],
)
def test_the_cause_of_a_failure_is_one_sentence(error: Exception, why: str) -> None:
    assert cause_of(error).startswith(why) or why in cause_of(error)
    assert "\n" not in cause_of(error)


def files(store: Store, run_folder: Path) -> DriverFiles:
    return DriverFiles(str(store.folder), store.sampled_fingerprint, str(run_folder))


def test_the_first_worker_reports_and_saves_and_the_others_do_not(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elastic = ElasticTraining(TWO, ONE, 1, 0.5, 64)
    reports: dict[int, Any] = {}
    monkeypatch.setattr(trial_training, "profile_trial", lambda *_: PROFILE)
    monkeypatch.setattr(DataParallel, "sum_gradients", lambda self, network, losses: losses)
    monkeypatch.setattr(DataParallel, "_largest", lambda self, value, device: value)
    monkeypatch.setattr(DataParallel, "batch_norm", DataParallel().batch_norm)
    for rank in range(2):
        folder = tmp_path / str(rank)
        (folder / "weights").mkdir(parents=True)
        request = TrialRequest(
            "elastic", CONFIG, files(store, folder), threads=1, device="cpu", elastic=elastic
        )
        reports[rank] = Queue()
        training = WorkerTraining(DataParallel(rank, 2))
        training.begin(request)
        training.report_to(reports[rank])
    first: list[TrialReport] = list(reports[0].queue)
    assert [(report.epoch.epoch if report.epoch else 0, report.status) for report in first] == [
        (1, "running"),
        (2, "finished"),
    ]
    assert first[0].profile == PROFILE
    assert reports[1].empty()
    assert [path.name for path in sorted((tmp_path / "0" / "weights").iterdir())] == [
        "elastic.json",
        "elastic.safetensors",
    ]
    assert not list((tmp_path / "1" / "weights").iterdir())


def test_what_may_be_the_loss_of_another_worker_is_raised(store: Store, tmp_path: Path) -> None:
    missing = dataclasses.replace(files(store, tmp_path), store=str(tmp_path / "none"))
    training = WorkerTraining(DataParallel(1, 2))
    training.begin(TrialRequest("elastic", CONFIG, missing, threads=1, device="cpu"))
    with pytest.raises(Exception, match="none"):
        training.next_report()


class Group:
    """Stands in for Ray Train: does what it is told to, in the thread of the trainer."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.error: Exception | None = None

    def __call__(self, request: TrialRequest, group: WorkerGroup, reports: Any, folder: str) -> None:
        assert Path(folder).is_dir()
        self.may_end.wait(20)
        if self.error is not None:
            raise self.error


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    stand_in = Group()
    monkeypatch.setattr(worker_group, "run_group", stand_in)
    monkeypatch.setattr(worker_group, "queue_on_this_node", Queue)
    monkeypatch.setattr(worker_group, "PATIENCE", 0.01)
    return stand_in


def actor(store: Store, folder: Path) -> GroupActor:
    share = {"CPU": 1.0, "GPU": 0.0}
    return GroupActor(
        {
            "request": TrialRequest(
                "elastic", CONFIG, files(store, folder), 1, "cpu", group=WorkerGroup(2, share)
            )
        }
    )


def test_reports_are_handed_on_and_waiting_for_one_is_a_report_without_news(
    group: Group, store: Store, tmp_path: Path
) -> None:
    trial = actor(store, tmp_path)
    waiting: TrialReport = trial.step()["report"]
    assert (waiting.ended, waiting.epoch, waiting.earlier_epochs) == (False, None, None)
    last = dataclasses.replace(waiting, profile=PROFILE, precision="bf16", began=10.0, earlier_epochs=())
    trial._reports.put(last)
    assert trial.step() == {"report": last, "done": False}
    again: TrialReport = trial.step()["report"]
    assert (again.profile, again.precision, again.began) == (PROFILE, "bf16", 10.0)
    assert again.earlier_epochs is None  # otherwise the epochs so far would be forgotten
    trial._reports.put(dataclasses.replace(last, ended=True, status="finished"))
    threading.Timer(0.2, group.may_end.set).start()
    assert trial.step()["done"]
    assert not trial._trainer.is_alive()  # its workers have freed their places


def test_a_group_that_failed_is_a_failed_trial_after_the_reports_that_came_before(
    group: Group, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "failures").mkdir()
    group.error = WorkerGroupError("", {0: ValueError("Traceback ...\nKeyError: 'age'")})
    trial = actor(store, tmp_path)
    last = trial.step()["report"]
    trial._reports.put(last)
    group.may_end.set()
    trial._trainer.join()
    assert trial.step() == {"report": last, "done": False}
    failed: TrialReport = trial.step()["report"]
    assert (failed.ended, failed.status) == (True, "failed")
    assert "KeyError: 'age'" in failed.cause
    assert "WorkerGroupError" in (tmp_path / "failures" / "elastic.txt").read_text()
