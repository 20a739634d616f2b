"""The training of a compression step, which continues where an earlier process was interrupted.

On a CPU and with the same number of threads, an interrupted training comes to the same network bit for bit.
"""

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch

from suite.deployment.trained_trial import TrainedTrial
from suite.errors import RequestError
from suite.files.reading import FileContentError
from suite.runs.layout import CHECKPOINTS
from suite.training.checkpoints import CheckpointTimer, FitStep, load_checkpoint, save_checkpoint
from suite.training.fit import Fit, fit
from suite.training.weight_files import sha256_of
from suite.trial import EpochResult, TrialConfig

#: Called with each epoch, numbered through all trainings of a step, and the number of epochs of the step.
OnEpoch = Callable[[EpochResult, int], None]


class ResumableFit:
    """The epochs of a step: of one training, or of several with a cut before each.

    Attributes:
        epochs: Epochs that ended, numbered from 1 through all trainings of the step.
        number: Number of the training at which the step continues, from 1.
        interrupted: That training, in its state after the last saved epoch; None without a
            checkpoint.
    """

    def __init__(
        self,
        parent: TrainedTrial,
        trial_id: str,
        config: TrialConfig,
        on_epoch: OnEpoch,
        on_stage: Callable[[str], None],
    ) -> None:
        """Load the checkpoint of an interrupted process, if there is one.

        Args:
            parent: The parent of the step's row.
            trial_id: Id of the row.
            config: Configuration of the step with all its epochs, before any cut.
            on_epoch: Called after each epoch.
            on_stage: Called with a sentence where the step continues from a checkpoint.
        """
        self._path = parent.run.folder / CHECKPOINTS / f"{trial_id}.pt"
        self._request = _request(parent, trial_id, config)
        self._epochs_in_all, self._on_epoch = config.epochs, on_epoch
        self._timer, self._began = CheckpointTimer(), time.perf_counter()
        self.epochs: list[EpochResult] = []
        self.number = 1
        self.interrupted = self._load(parent)
        if self.interrupted is not None:
            on_stage(f"{trial_id} goes on after epoch {len(self.epochs)} of {self._epochs_in_all}")

    @property
    def seconds(self) -> float:
        """Seconds that the step has taken in all processes; epochs that were lost and repeated count once."""
        return time.perf_counter() - self._began

    def train(self, training: Fit, number: int) -> None:
        """Run a training of the step to its end.

        Args:
            training: The training.
            number: Its number within the step, from 1.

        Raises:
            DivergedError: The loss became NaN or infinite.
        """
        for epoch in training:
            self.epochs.append(dataclasses.replace(epoch, epoch=len(self.epochs) + 1))
            if len(self.epochs) < self._epochs_in_all:
                with contextlib.suppress(OSError):  # a training does not need its checkpoints
                    self._timer.save_if_due(lambda: self._save(training, number))
            self._on_epoch(self.epochs[-1], self._epochs_in_all)

    def _save(self, training: Fit, number: int) -> None:
        self._path.parent.mkdir(exist_ok=True)
        save_checkpoint(training, self.epochs, self.seconds, self._path, FitStep(self._request, number))

    def _load(self, parent: TrainedTrial) -> Fit | None:
        checkpoint = load_checkpoint(self._path)
        if checkpoint is None or checkpoint.step.request != self._request:
            return None
        try:
            checkpoint.check_sizes(parent.label_set.bins)
            training = fit(checkpoint.config, parent.dataset, threads=torch.get_num_threads())
        except (FileContentError, RequestError):  # its configuration is not that of the step
            return None
        if not checkpoint.restore(training):
            return None
        self.epochs, self.number = list(checkpoint.epochs), checkpoint.step.number
        self._began -= checkpoint.seconds
        return training


def remove_checkpoint(folder: Path, trial_id: str) -> None:
    """Remove the checkpoint of a step, and partial files that a killed process left of it."""
    for pattern in (f"{trial_id}.pt*", f".{trial_id}.pt.*"):
        for file in (folder / CHECKPOINTS).glob(pattern):
            file.unlink(missing_ok=True)


def _request(parent: TrainedTrial, trial_id: str, config: TrialConfig) -> str:
    """Return all that decides the outcome of a step; the id contains a hash of the cuts."""
    data = parent.store.info.fingerprint
    return json.dumps([trial_id, sha256_of(parent.weights), data, config.to_json()])
