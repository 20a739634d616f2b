"""The training of a trial in a process of the cluster, from its last checkpoint and one epoch per report."""

import dataclasses
import time
import traceback
from contextlib import suppress
from functools import lru_cache
from typing import Any

import torch
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
from suite.training.checkpoints import Checkpoint, CheckpointTimer, load_checkpoint, save_checkpoint
from suite.training.data_parallel import ALONE
from suite.training.elastic import ElasticFit, Sharing, TrainedElastic, fit_elastic, load_elastic
from suite.training.fit import DivergedError, Fit, fit
from suite.trial import Attribute, EpochResult, Profile


class TrialTraining:
    """Trains the trial of a request; a trial that fails is reported as ended, with its cause.

    Several processes may train one elastic network. Then all of them have the same reports, and the first one saves
    the files.
    """

    _workers = ALONE
    _checkpoint_timer: CheckpointTimer

    def next_report(self) -> TrialReport:
        """Train an epoch and report it; a failure is reported, not raised.

        What happens to one of several processes is raised, because it may only be the loss of another.
        """
        try:
            if self._fit is None:
                self._start_training()
            assert self._fit is not None
            return self._train_epoch(self._fit)
        except DivergedError as diverged:
            return self._report(ended=True, status="diverged", cause=str(diverged))
        except NotSavedError as error:
            return self._report(ended=True, status="not-saved", cause=str(error))
        except Exception as error:
            if self._workers.size > 1:
                raise
            with suppress(NotSavedError):  # the row has the cause, too
                self._save_text(f"failures/{self._request.id}.txt", traceback.format_exc())
            return self._report(ended=True, status="failed", cause=f"{type(error).__name__}: {error}")

    def begin(self, request: TrialRequest) -> None:
        """Prepare for the trial of a request."""
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
        if self._workers.is_first:
            self._profile = profile_trial(config, label_set_of(config).bins)
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
                config,
                space,
                dataset,
                sharing,
                threads=request.threads,
                device=request.device,
                workers=self._workers,
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
        checkpoint = self._checkpoint()
        if checkpoint is not None and not checkpoint.restore(training):
            checkpoint = None
        if not self._workers.is_same(len(checkpoint.epochs) if checkpoint else 0, training.device):
            raise RuntimeError("the workers of a group have read different checkpoints")
        if checkpoint is None:
            return
        self._epochs = list(checkpoint.epochs)
        self._began -= checkpoint.seconds
        self._zero -= checkpoint.seconds

    def _checkpoint(self) -> Checkpoint | None:
        with self._request.files.local_copy(self._request.checkpoint) as path:
            return None if path is None else load_checkpoint(path)

    def _train_epoch(self, training: Fit | ElasticFit) -> TrialReport:
        earlier = tuple(self._epochs)
        epoch = next(training)
        self._epochs.append(epoch)
        if epoch.epoch < self._request.config.epochs:
            if self._workers.is_first:
                with suppress(
                    NotSavedError
                ):  # the training needs none; saving its weights will report the fault
                    self._checkpoint_timer.save_if_due(lambda: self._save_checkpoint(training))
            return self._report(ended=False, status="running", epoch=epoch, earlier=earlier)
        if self._workers.is_first:
            self._save_weights(training)
        return self._report(ended=True, status="finished", epoch=epoch, earlier=earlier)

    def _save_weights(self, training: Fit | ElasticFit) -> None:
        as_trained = dataclasses.replace(self._request.config, precision=training.precision)
        network = training.largest if isinstance(training, ElasticFit) else training.network
        self._request.files.save(
            weights_name(self._request.id), lambda path: save_network(network, as_trained, path)
        )

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
