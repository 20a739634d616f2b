"""Trials that several workers train: Ray Train starts them, gives them a process group, and replaces lost ones.

Ray Tune has one actor for such a trial, as for any other, on the head node. It runs the ``TorchTrainer`` and hands on
the reports of the first worker. Checkpoints are those of any trial, in the run folder, and not Ray Train's, which need
a folder that all nodes see.
"""

import dataclasses
import importlib
import os
import queue
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayActorError
from ray.util.queue import Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from suite.files.atomic import write_atomically
from suite.search.tune.file_server import NotSavedError
from suite.search.tune.messages import TrialReport, TrialRequest, WorkerGroup
from suite.search.tune.trial_training import TrialTraining
from suite.search.tune.worker_loss import RETRIES, why_lost
from suite.training.checkpoints import CheckpointTimer
from suite.training.data_parallel import DataParallel

#: How often Ray Train looks for lost workers, and for how long it waits for the places of a group before it tries a
#: smaller one, in seconds; its own values are for groups of hundreds. A user's values go first.
ENVIRONMENT = {"RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "1", "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "20"}
#: Seconds that a step waits for a report.
PATIENCE = 5.0
#: Seconds for which a group that has ended may take to stop its workers.
SECONDS_TO_END = 30.0


LOOPBACK = "127.0.0.1"


class GroupActor(tune.Trainable):
    """Has a group of workers train the elastic network of a request; each step hands on a report."""

    def setup(self, config: dict[str, Any]) -> None:
        """Start the group."""
        self._request: TrialRequest = config["request"]
        self._began = time.time()
        self._last: TrialReport | None = None
        self._failure: Exception | None = None
        self._reports = queue_on_this_node()
        self._trainer = threading.Thread(target=self._train, daemon=True)
        self._trainer.start()

    def step(self) -> dict[str, Any]:
        """Return the next report of the group, or soon one without news, so that Tune can stop the trial.

        That the group failed is a report, too.
        """
        is_training = self._trainer.is_alive()
        try:
            self._last = self._reports.get(timeout=PATIENCE if is_training else 0.1)
            report = self._last
        except queue.Empty:
            report = self._no_news() if is_training else self._failed()
        if report.ended:  # its workers free their places before the next trial asks for them
            self._trainer.join(SECONDS_TO_END)
        return {"report": report, "done": report.ended}

    def _train(self) -> None:
        assert self._request.group is not None
        try:
            with tempfile.TemporaryDirectory(prefix="suite-") as folder:
                run_group(self._request, self._request.group, self._reports, folder)
        except Exception as error:
            self._failure = error

    def _no_news(self) -> TrialReport:
        last = self._last
        return TrialReport(
            id=self._request.id,
            ended=False,
            status="running",
            cause="",
            profile=last.profile if last else None,
            precision=last.precision if last else "",
            epoch=None,
            began=last.began if last else self._began,
            seconds=time.time() - (last.began if last else self._began),
        )

    def _failed(self) -> TrialReport:
        error = self._failure or RuntimeError("its workers ended without a result")
        text = "".join(traceback.format_exception(error))
        with suppress(NotSavedError):  # the row has the cause, too
            self._request.files.save(
                f"failures/{self._request.id}.txt", lambda path: write_atomically(path, text, durable=True)
            )
        return dataclasses.replace(self._no_news(), ended=True, status="failed", cause=cause_of(error))


def queue_on_this_node() -> Queue:
    """Make a queue that lives as long as this process, on its node."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})


def cause_of(error: Exception) -> str:
    """Return why a group could not go on, in a sentence: its workers raised something, or were lost too often."""
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    lost = [failure for failure in failures.values() if isinstance(failure, RayActorError)]
    last = lost[0] if lost else failures[min(failures)] if failures else error
    why = f"a worker was lost: {why_lost(last)}" if lost else _last_line(last)
    times = f" {RETRIES + 1} times" if failures else ""
    return f"its group of workers failed{times} ({why}); Ray's errors are below failures/"


def _last_line(error: Exception) -> str:
    """Return the last line of a message, which in Ray's copy of a traceback names the exception."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def run_group(request: TrialRequest, group: WorkerGroup, reports: Queue, folder: str) -> None:
    """Train with a group of workers until it has ended, by itself or because too many workers were lost.

    Args:
        request: To every worker.
        group: How many there are, and their shares.
        reports: Gets the reports of the first worker.
        folder: For what Ray Train itself writes on this node.

    Raises:
        ray.train.TrainingFailedError: Ray Train gave up.
    """
    # Imported here because only this training needs Ray Train, whose annotations are those of its first version.
    from ray.train.torch import TorchTrainer

    train: Any = importlib.import_module("ray.train")

    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    trainer = TorchTrainer(
        train_as_worker,
        train_loop_config={"request": request, "reports": reports},
        scaling_config=train.ScalingConfig(
            # A smaller group has the same results, only later.
            num_workers=(1, group.size),
            use_gpu=group.share["GPU"] > 0,
            resources_per_worker={kind: amount for kind, amount in group.share.items() if amount},
        ),
        run_config=train.RunConfig(
            name=request.id,
            storage_path=folder,
            failure_config=train.FailureConfig(max_failures=RETRIES),
            worker_runtime_env={"env_vars": _network()},
        ),
    )
    trainer.fit()


def _network() -> dict[str, str]:
    """Let the workers of a cluster that listens on the loopback interface do the same."""
    address: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
    if address != LOOPBACK:
        return {}
    return {"GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo"}


def train_as_worker(config: dict[str, Any]) -> None:
    """Train in a worker of Ray Train; the first one reports."""
    from ray.train.torch import get_device

    request: TrialRequest = config["request"]
    training = WorkerTraining(DataParallel.of_group())
    training.begin(dataclasses.replace(request, device=str(get_device())))
    training.report_to(config["reports"])


class WorkerTraining(TrialTraining):
    """The training of a trial in one worker of its group."""

    def __init__(self, workers: DataParallel) -> None:
        self._workers = workers
        self._checkpoint_timer = CheckpointTimer()

    def report_to(self, reports: Queue) -> None:
        """Train to the end, and report each epoch where this is the first worker."""
        ended = False
        while not ended:
            report = self.next_report()
            if self._workers.is_first:
                reports.put(report)
            ended = report.ended
