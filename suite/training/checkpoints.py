"""Checkpoints: a training in progress as a file, from which another process continues to the same result."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from suite.files.atomic import atomic_path
from suite.files.reading import check_regular
from suite.networks.tensor_files import LARGEST_FILE
from suite.training.fit import Fit
from suite.trial import EpochResult, Metrics, TrialConfig
from suite.trial_reading import read_config

#: Increased when the content of the file changes. A file of another version is ignored.
VERSION = 2
#: The time between two checkpoints, in multiples of the time that saving one takes. All checkpoints together then
#: take at most a fiftieth of a training's time.
INTERVAL_IN_SAVES = 50
#: The expected time of the first save in a process.
FIRST_SAVE_SECONDS = 0.02


@dataclass(frozen=True)
class FitStep:
    """The request that a training serves, where the configuration alone does not identify it.

    Attributes:
        request: An identification of the request, chosen by the caller.
        number: Counts the trainings of a request that takes several, from 1.
    """

    request: str = ""
    number: int = 1


#: The step of a training that its configuration describes completely.
ONLY_STEP = FitStep()


@dataclass(frozen=True)
class Checkpoint:
    """A training between two epochs."""

    config: TrialConfig  # of the training, with its weight files pinned
    precision: str  # of the training
    epochs: tuple[EpochResult, ...]  # all so far, those of earlier steps included
    seconds: float  # the time that they took, in all processes
    state: Mapping[str, Any]  # of ``suite.training.fit.Fit``
    step: FitStep = ONLY_STEP

    def matches(self, training: Fit) -> bool:
        """Whether a training can continue from here as if it had never been interrupted."""
        return (self.config, self.precision) == (training.config, training.precision)


class CheckpointTimer:
    """Decides when to save, so rarely that saving takes at most a fiftieth of the time."""

    def __init__(self) -> None:
        self._seconds = FIRST_SAVE_SECONDS
        self.begin()

    def begin(self) -> None:
        """Start the clock of a training; the duration of the last save is the estimate for its first one."""
        self._not_before = time.perf_counter() + INTERVAL_IN_SAVES * self._seconds

    def save_if_due(self, save: Callable[[], None]) -> None:
        """Call ``save`` if it is due. Its exceptions are passed on, and the next try waits for the next interval."""
        began = time.perf_counter()
        if began < self._not_before:
            return
        try:
            save()
        finally:
            ended = time.perf_counter()
            self._seconds = ended - began
            self._not_before = ended + INTERVAL_IN_SAVES * self._seconds


def save_checkpoint(
    training: Fit, epochs: Sequence[EpochResult], seconds: float, path: Path, step: FitStep = ONLY_STEP
) -> None:
    """Write a checkpoint, completely or not at all.

    Args:
        training: The training.
        epochs: Its epochs so far, those of earlier steps included.
        seconds: The time that they took.
        path: The file.
        step: The request that the training serves.

    Raises:
        OSError: The file cannot be written; an earlier checkpoint is still there.
    """
    document = {
        "version": VERSION,
        "config": training.config.to_json(),
        "precision": training.precision,
        "epochs": [dataclasses.asdict(epoch) for epoch in epochs],
        "seconds": seconds,
        "state": training.state(),
        "part": dataclasses.asdict(step),
    }
    try:
        with atomic_path(path, durable=True) as temporary, temporary.open("wb") as file:
            torch.save(document, file)
    except RuntimeError as error:  # torch's own for a full disk
        raise OSError(str(error)) from None


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None where there is none that this version can continue from."""
    try:
        check_regular(path, LARGEST_FILE)
        document = torch.load(path, map_location="cpu", weights_only=True)
        if document["version"] != VERSION:
            return None
        epochs = tuple(
            EpochResult(**{**epoch, "validation": Metrics(**epoch["validation"])})
            for epoch in document["epochs"]
        )
        return Checkpoint(
            config=read_config(document["config"]),
            precision=document["precision"],
            epochs=epochs,
            seconds=document["seconds"],
            state=document["state"],
            step=FitStep(**document["part"]),
        )
    except Exception:  # the unpickler raises nearly anything for damaged bytes
        return None
