"""The trial actor: a Ray process that trains one trial after another, one epoch per step."""

import dataclasses
import time
import traceback
from contextlib import suppress
from functools import lru_cache
from typing import Any

import torch
from ray import tune
from torch import nn

from suite.compression.parent import network_from_parent
from suite.data.dataset import Dataset, load_dataset
from suite.files.atomic import write_atomically
from suite.machine import best_device
from suite.measure.profiling import profile_trial
from suite.methods.labels import label_set_of
from suite.networks.elastic import ElasticSpace
from suite.networks.weights import save_network
from suite.presets import Architecture
from suite.search.tune.file_server import DriverFiles, NotSavedError
from suite.search.tune.messages import TrialReport, TrialRequest, weights_name
from suite.training.checkpoints import CheckpointTimer, load_checkpoint, save_checkpoint
from suite.training.elastic import ElasticFit, Sharing, TrainedElastic, fit_elastic, load_elastic
from suite.training.fit import DivergedError, Fit, fit
from suite.trial import Attribute, EpochResult, Profile


class TrialActor(tune.Trainable):
    """Trains the trial of each request; a trial that fails is reported as ended, with its cause.

    Ray Tune reuses the process for the next trial through ``reset_config``, so that torch is imported and
    the data opened only once.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Prepare for the first trial."""
        self._checkpoint_timer = CheckpointTimer()
        self._begin(config["request"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Prepare for the next trial in the same process."""
        self._begin(new_config["request"])
        return True

    def step(self) -> dict[str, Any]:
        """Train an epoch and report it; a failure is reported, not raised."""
        try:
            if self._fit is None:
                self._start_training()
            assert self._fit is not None
            report = self._train_epoch(self._fit)
        except DivergedError as diverged:
            report = self._report(ended=True, status="diverged", cause=str(diverged))
        except NotSavedError as error:
            report = self._report(ended=True, status="not-saved", cause=str(error))
        except Exception as error:
            with suppress(NotSavedError):  # the row has the cause, too
                self._save_text(f"failures/{self._request.id}.txt", traceback.format_exc())
            report = self._report(ended=True, status="failed", cause=f"{type(error).__name__}: {error}")
        return {"report": report, "done": report.ended}

    def _begin(self, request: TrialRequest) -> None:
        self._request = request
        self._began = time.time()
        self._zero = time.perf_counter()
        self._profile: Profile | None = None
        self._fit: Fit | ElasticFit | None = None
        self._epochs: list[EpochResult] = []
        self._has_reported = False
        self._checkpoint_timer.begin()

    def _start_training(self) -> None:
        config = self._request.config
        label_set = label_set_of(config)
        self._profile = profile_trial(config, label_set.bins)
        dataset = trial_data(self._request.files, config.attribute, config.resolution)
        self._fit = self._training(dataset)
        self._resume(self._fit)

    def _training(self, dataset: Dataset) -> Fit | ElasticFit:
        """Return the training of the request, before its first epoch."""
        request, config = self._request, self._request.config
        if (elastic := request.elastic) is not None:
            sharing = Sharing(elastic.random_slices, elastic.distillation, elastic.recalibration_images)
            space = ElasticSpace(elastic.widths, elastic.depths)
            return fit_elastic(
                config, space, dataset, sharing, threads=request.threads, device=request.device
            )
        training = fit(
            config,
            dataset,
            threads=request.threads,
            device=request.device,
            network=self._slice(dataset) or network_from_parent(config, dataset),
        )
        if training.transfer:
            self._save_text(f"weights/{request.id}.backbone.txt", f"{training.transfer}\n")
        return training

    def _slice(self, dataset: Dataset) -> nn.Module | None:
        """Return the slice that the training starts from; None where it starts from none."""
        request, config = self._request, self._request.config
        if request.slice_of is None:
            return None
        device = torch.device(request.device or best_device())
        elastic = elastic_network(request.files, request.slice_of.elastic)
        architecture = Architecture(config.widths, config.depths)
        return elastic.slice(architecture, dataset, request.slice_of.recalibration_images, device)

    def _resume(self, training: Fit | ElasticFit) -> None:
        """Continue from the checkpoint that a lost process or a killed driver left, where there is one."""
        with self._request.files.local_copy(self._request.checkpoint) as path:
            checkpoint = None if path is None else load_checkpoint(path)
        if checkpoint is None or not checkpoint.restore(training):
            return
        self._epochs = list(checkpoint.epochs)
        self._began -= checkpoint.seconds
        self._zero -= checkpoint.seconds

    def _train_epoch(self, training: Fit | ElasticFit) -> TrialReport:
        earlier = tuple(self._epochs)
        epoch = next(training)
        self._epochs.append(epoch)
        if epoch.epoch < self._request.config.epochs:
            with suppress(NotSavedError):  # the training needs none; saving its weights will report the fault
                self._checkpoint_timer.save_if_due(lambda: self._save_checkpoint(training))
            return self._report(ended=False, status="running", epoch=epoch, earlier=earlier)
        as_trained = dataclasses.replace(self._request.config, precision=training.precision)
        network = training.largest if isinstance(training, ElasticFit) else training.network
        self._request.files.save(
            weights_name(self._request.id), lambda path: save_network(network, as_trained, path)
        )
        return self._report(ended=True, status="finished", epoch=epoch, earlier=earlier)

    def _save_checkpoint(self, training: Fit | ElasticFit) -> None:
        self._request.files.save(
            self._request.checkpoint,
            lambda path: save_checkpoint(training, self._epochs, time.perf_counter() - self._zero, path),
        )

    def _save_text(self, name: str, text: str) -> None:
        self._request.files.save(name, lambda path: write_atomically(path, text, durable=True))

    def _report(
        self,
        *,
        ended: bool,
        status: Any,
        cause: str = "",
        epoch: EpochResult | None = None,
        earlier: tuple[EpochResult, ...] | None = None,
    ) -> TrialReport:
        """Return a report; that of the first epoch after a start has the ``earlier`` epochs."""
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
            earlier_epochs=(tuple(self._epochs) if earlier is None else earlier) if is_first else None,
        )


@lru_cache(maxsize=2)
def trial_data(files: DriverFiles, attribute: Attribute, resolution: int) -> Dataset:
    """Return the data of trials; the process opens it once."""
    return load_dataset(files.open_store(), attribute, resolution)


@lru_cache(maxsize=1)
def elastic_network(files: DriverFiles, trial_id: str) -> TrainedElastic:
    """Return the network of an elastic training; the process reads it once.

    Raises:
        RequestError: The run folder lacks it.
    """
    with files.local_network(weights_name(trial_id)) as path:
        return load_elastic(path)
