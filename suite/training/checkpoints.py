"""A training under way as a file, from which another process goes on to the same result."""

import contextlib
import dataclasses
import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from suite.training.fit import Fit
from suite.trial import EpochResult, Metrics, TrialConfig

#: Raised when what is in the file changes; a file of another version counts as none.
VERSION = 2
#: A checkpoint is saved when the last one lies so many times its own length back, so that all of them take a
#: fiftieth of a training's time at most.
TIMES_BACK = 50
#: What the first one of a process is expected to take, in seconds.
FIRST_SAVING_SECONDS = 0.02


@dataclass(frozen=True)
class FitStep:
    """The request that a training serves, where the configuration alone does not tell.

    Attributes:
        request: an identification of the request, chosen by the caller.
        number: counts the trainings of a request that takes several, from 1.
    """

    request: str = ""
    number: int = 1


#: The step of a training that its configuration describes completely.
ONLY_STEP = FitStep()


@dataclass(frozen=True)
class Checkpoint:
    """A training between two epochs."""

    config: TrialConfig  # as the training had it, its backbone pinned
    precision: str  # that the training computed in
    epochs: tuple[EpochResult, ...]  # all so far, those of the parts before included
    seconds: float  # that they took, in all processes
    state: Mapping[str, Any]  # of ``suite.training.fit.Fit``
    step: FitStep = ONLY_STEP

    def is_of(self, training: Fit) -> bool:
        """A training goes on from here as if it had never been cut."""
        return (self.config, self.precision) == (training.config, training.precision)


class CheckpointTimer:
    """Says when to save: so rarely that it takes a fiftieth of the time at most."""

    def __init__(self) -> None:
        self._seconds = FIRST_SAVING_SECONDS
        self.begin()

    def begin(self) -> None:
        """A training begins; what its first checkpoint takes is guessed from the one before."""
        self._not_before = time.perf_counter() + TIMES_BACK * self._seconds

    def now_and_then(self, save: Callable[[], None]) -> None:
        """Save if it is time to; what ``save`` raises is raised, and it is not tried again at once."""
        began = time.perf_counter()
        if began < self._not_before:
            return
        try:
            save()
        finally:
            ended = time.perf_counter()
            self._seconds = ended - began
            self._not_before = ended + TIMES_BACK * self._seconds


def save_checkpoint(
    training: Fit, epochs: Sequence[EpochResult], seconds: float, path: Path, step: FitStep = ONLY_STEP
) -> None:
    """Write a training, whole or not at all.

    Raises:
        OSError: it cannot be written; what was there before is still there.
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
    # Two processes may train the same trial for a moment, where a node was taken for lost.
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            torch.save(document, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch's own of a disk without room
        with contextlib.suppress(OSError):
            partial.unlink()
        raise error if isinstance(error, OSError) else OSError(str(error)) from None


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None where the file is none that this version can go on from."""
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
        if document["version"] != VERSION:
            return None
        epochs = tuple(
            EpochResult(**{**epoch, "validation": Metrics(**epoch["validation"])})
            for epoch in document["epochs"]
        )
        return Checkpoint(
            config=TrialConfig.from_json(document["config"]),
            precision=document["precision"],
            epochs=epochs,
            seconds=document["seconds"],
            state=document["state"],
            step=FitStep(**document["part"]),
        )
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, EOFError, pickle.UnpicklingError):
        return None
