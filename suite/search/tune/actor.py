"""The trial actor: one warm Ray process that trains one trial after another, an epoch a step."""

import dataclasses
import time
import traceback
from contextlib import suppress
from functools import lru_cache
from typing import Any

from ray import tune

from suite.compression.parent import starting_network
from suite.data.dataset import Dataset, load_dataset
from suite.files.atomic import write_atomically
from suite.measure.profiling import profile_trial
from suite.methods.labels import LabelSet
from suite.networks.weights import save_network
from suite.search.tune.file_server import DriverFiles, NotKeptError
from suite.search.tune.messages import TrialReport, TrialRequest
from suite.training.checkpoints import CheckpointTimer, load_checkpoint, save_checkpoint
from suite.training.fit import DivergedError, Fit, fit
from suite.trial import Attribute, EpochResult, Profile


class TrialActor(tune.Trainable):
    """Trains what it is asked to; a trial that fails is reported as ended, with its cause.

    Ray Tune reuses the process for the next trial through ``reset_config``: torch is imported and
    the data is opened once.
    """

    def setup(self, config: dict[str, Any]) -> None:
        self._savings = CheckpointTimer()
        self._begin(config["request"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config["request"])
        return True

    def step(self) -> dict[str, Any]:
        try:
            if self._fit is None:
                self._start_training()
            assert self._fit is not None
            report = self._train_epoch(self._fit)
        except DivergedError as diverged:
            report = self._report(ended=True, status="diverged", cause=str(diverged))
        except NotKeptError as error:
            report = self._report(ended=True, status="not-kept", cause=str(error))
        except Exception as error:
            with suppress(NotKeptError):  # the row has the cause
                self._keep_text(f"failures/{self._request.id}.txt", traceback.format_exc())
            report = self._report(ended=True, status="failed", cause=f"{type(error).__name__}: {error}")
        return {"report": report, "done": report.ended}

    def _begin(self, request: TrialRequest) -> None:
        self._request = request
        self._began = time.time()
        self._zero = time.perf_counter()
        self._profile: Profile | None = None
        self._fit: Fit | None = None
        self._epochs: list[EpochResult] = []
        self._has_reported = False
        self._savings.begin()

    def _start_training(self) -> None:
        config = self._request.config
        label_set = LabelSet(config.label_low, config.label_high, config.label_step)
        self._profile = profile_trial(config, label_set.bins)
        dataset = _dataset(self._request.files, config.attribute, config.resolution)
        self._fit = fit(
            config,
            dataset,
            threads=self._request.threads,
            device=self._request.device,
            network=starting_network(config, dataset),
        )
        if self._fit.transfer:
            self._keep_text(f"weights/{self._request.id}.backbone.txt", f"{self._fit.transfer}\n")
        self._go_on(self._fit)

    def _go_on(self, training: Fit) -> None:
        """Go on where a process that was lost, or a driver that was killed, left the trial."""
        with self._request.files.fetched(self._request.checkpoint) as path:
            checkpoint = None if path is None else load_checkpoint(path)
        if checkpoint is None or not checkpoint.is_of(training):
            return
        training.go_on_from(checkpoint.state)
        self._epochs = list(checkpoint.epochs)
        self._began -= checkpoint.seconds
        self._zero -= checkpoint.seconds

    def _train_epoch(self, training: Fit) -> TrialReport:
        before = tuple(self._epochs)
        epoch = next(training)
        self._epochs.append(epoch)
        if epoch.epoch < self._request.config.epochs:
            with suppress(NotKeptError):  # the training can do without; its weights will say what is wrong
                self._savings.now_and_then(lambda: self._save(training))
            return self._report(ended=False, status="running", epoch=epoch, before=before)
        as_trained = dataclasses.replace(self._request.config, precision=training.precision)
        self._request.files.keep(
            f"weights/{self._request.id}.safetensors",
            lambda path: save_network(training.network, as_trained, path),
        )
        return self._report(ended=True, status="finished", epoch=epoch, before=before)

    def _save(self, training: Fit) -> None:
        self._request.files.keep(
            self._request.checkpoint,
            lambda path: save_checkpoint(training, self._epochs, time.perf_counter() - self._zero, path),
        )

    def _keep_text(self, name: str, text: str) -> None:
        self._request.files.keep(name, lambda path: write_atomically(path, text, durable=True))

    def _report(
        self,
        *,
        ended: bool,
        status: Any,
        cause: str = "",
        epoch: EpochResult | None = None,
        before: tuple[EpochResult, ...] | None = None,
    ) -> TrialReport:
        is_first, self._has_reported = not self._has_reported, True
        return TrialReport(
            id=self._request.id,
            ended=ended,
            status=status,
            cause=cause,
            profile=self._profile,
            precision=self._fit.precision if self._fit else "",
            epoch=epoch,
            began=self._began,
            seconds=time.perf_counter() - self._zero,
            before=(tuple(self._epochs) if before is None else before) if is_first else None,
        )


@lru_cache(maxsize=2)
def _dataset(files: DriverFiles, attribute: Attribute, resolution: int) -> Dataset:
    return load_dataset(files.open_store(), attribute, resolution)
