"""The training of a step of a compression, which goes on where an earlier process was interrupted.

On a CPU, with the same number of threads, what has been interrupted comes to the same network bit for bit.
"""

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch

from suite.deployment.trained_trial import TrainedTrial
from suite.runs.layout import CHECKPOINTS
from suite.training.checkpoints import CheckpointTimer, FitStep, load_checkpoint, save_checkpoint
from suite.training.fit import Fit, fit
from suite.training.weight_files import sha256_of
from suite.trial import EpochResult, TrialConfig

#: Told each epoch, numbered through all of a step, and how many there are.
OnEpoch = Callable[[EpochResult, int], None]


class ResumableFit:
    """The epochs of a step, in one training or in several with a cut before each.

    Attributes:
        epochs: those that ended, numbered from 1 through all of the step's trainings.
        number: of the training at which the step goes on, from 1.
        interrupted: that training, after its last epoch that was kept; None: the step begins.
    """

    def __init__(
        self,
        trained: TrainedTrial,
        trial_id: str,
        config: TrialConfig,
        on_epoch: OnEpoch,
        on_stage: Callable[[str], None],
    ) -> None:
        """Look for what an interrupted process left of the step.

        Args:
            trained: the parent of the step's row.
            trial_id: of the row.
            config: of the step with all its epochs, before anything is cut.
            on_epoch: told each epoch.
            on_stage: told in a sentence where the step goes on.
        """
        self._path = trained.run.folder / CHECKPOINTS / f"{trial_id}.pt"
        self._request = _request(trained, trial_id, config)
        self._of, self._on_epoch = config.epochs, on_epoch
        self._savings, self._began = CheckpointTimer(), time.perf_counter()
        self.epochs: list[EpochResult] = []
        self.number = 1
        self.interrupted = self._left_by_another(trained)
        if self.interrupted is not None:
            on_stage(f"{trial_id} goes on after epoch {len(self.epochs)} of {self._of}")

    @property
    def seconds(self) -> float:
        """What the step took so far, in all processes, but for what was done twice."""
        return time.perf_counter() - self._began

    def train(self, training: Fit, number: int) -> None:
        """Carry a training of the step to its end.

        Raises:
            DivergedError: the loss became NaN or infinite.
        """
        for epoch in training:
            self.epochs.append(dataclasses.replace(epoch, epoch=len(self.epochs) + 1))
            if len(self.epochs) < self._of:
                with contextlib.suppress(OSError):  # the training can do without
                    self._savings.now_and_then(lambda: self._save(training, number))
            self._on_epoch(self.epochs[-1], self._of)

    def _save(self, training: Fit, number: int) -> None:
        self._path.parent.mkdir(exist_ok=True)
        save_checkpoint(training, self.epochs, self.seconds, self._path, FitStep(self._request, number))

    def _left_by_another(self, trained: TrainedTrial) -> Fit | None:
        checkpoint = load_checkpoint(self._path)
        if checkpoint is None or checkpoint.step.request != self._request:
            return None
        training = fit(checkpoint.config, trained.dataset, threads=torch.get_num_threads())
        if not checkpoint.is_of(training):
            return None
        training.load_state(checkpoint.state)
        self.epochs, self.number = list(checkpoint.epochs), checkpoint.step.number
        self._began -= checkpoint.seconds
        return training


def remove_checkpoint(folder: Path, trial_id: str) -> None:
    """Nobody will go on with a step; what a killed process left half written goes, too."""
    for file in (folder / CHECKPOINTS).glob(f"{trial_id}.pt*"):
        file.unlink(missing_ok=True)


def _request(trained: TrainedTrial, trial_id: str, config: TrialConfig) -> str:
    """All that decides a step's outcome: the id has the request in it, and with it how it is cut."""
    data = trained.store.info.fingerprint
    return json.dumps([trial_id, sha256_of(trained.weights), data, config.to_json()])
