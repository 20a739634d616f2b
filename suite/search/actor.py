"""The trial actor: one warm Ray process that trains one trial after another, an epoch a step."""

import dataclasses
import time
import traceback
from functools import lru_cache
from typing import Any

from ray import tune

from suite.compression.starting import starting_network
from suite.data.dataset import Dataset, load_dataset
from suite.labels import LabelSet
from suite.profiling import profile_trial
from suite.search.driver_files import DriverFiles
from suite.training import DivergedError, Fit, fit
from suite.trial import Attribute, EpochResult, Profile, TrialConfig
from suite.weights import save_network


@dataclasses.dataclass(frozen=True)
class TrialRequest:
    """What the driver sends to an actor to start a trial."""

    id: str
    config: TrialConfig
    files: DriverFiles
    threads: int
    device: str | None  # None: a GPU where the trial's process has one


@dataclasses.dataclass(frozen=True)
class TrialReport:
    """What an actor sends back after each epoch, and when a trial ends early."""

    id: str
    ended: bool
    status: str  # "running" until it ended
    cause: str
    profile: Profile | None
    precision: str
    epoch: EpochResult | None
    began: float  # by the clock of the actor's machine, seconds since 1970
    seconds: float  # since then


class TrialActor(tune.Trainable):
    """Trains what it is asked to; a trial that fails is reported as ended, with its cause.

    Ray Tune reuses the process for the next trial through ``reset_config``: torch is imported and
    the data is opened once.
    """

    def setup(self, config: dict[str, Any]) -> None:
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
        except Exception as error:
            self._keep_text(f"failures/{self._request.id}.txt", traceback.format_exc())
            report = self._report(ended=True, status="failed", cause=f"{type(error).__name__}: {error}")
        return {"report": report, "done": report.ended}

    def _begin(self, request: TrialRequest) -> None:
        self._request = request
        self._began = time.time()
        self._zero = time.perf_counter()
        self._profile: Profile | None = None
        self._fit: Fit | None = None

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

    def _train_epoch(self, training: Fit) -> TrialReport:
        epoch = next(training)
        if epoch.epoch < self._request.config.epochs:
            return self._report(ended=False, status="running", epoch=epoch)
        as_trained = dataclasses.replace(self._request.config, precision=training.precision)
        self._request.files.keep(
            f"weights/{self._request.id}.safetensors",
            lambda path: save_network(training.network, as_trained, path),
        )
        return self._report(ended=True, status="finished", epoch=epoch)

    def _keep_text(self, name: str, text: str) -> None:
        self._request.files.keep(name, lambda path: path.write_text(text, encoding="utf-8"))

    def _report(
        self, *, ended: bool, status: str, cause: str = "", epoch: EpochResult | None = None
    ) -> TrialReport:
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
        )


@lru_cache(maxsize=2)
def _dataset(files: DriverFiles, attribute: Attribute, resolution: int) -> Dataset:
    return load_dataset(files.open_store(), attribute, resolution)
