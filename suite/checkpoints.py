"""A training under way as a file, from which another process goes on to the same result."""

import contextlib
import dataclasses
import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from suite.training import Fit
from suite.trial import EpochResult, Metrics, TrialConfig

#: Raised when what is in the file changes; a file of another version counts as none.
VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A training between two epochs."""

    config: TrialConfig  # as the training had it, its backbone pinned
    precision: str  # that the training computed in
    epochs: tuple[EpochResult, ...]  # all so far
    seconds: float  # that they took, in all processes
    state: Mapping[str, Any]  # of ``suite.training.Fit``

    def is_of(self, training: Fit) -> bool:
        """A training goes on from here as if it had never been cut."""
        return (self.config, self.precision) == (training.config, training.precision)


def save_checkpoint(training: Fit, epochs: Sequence[EpochResult], seconds: float, path: Path) -> None:
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
        )
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, EOFError, pickle.UnpicklingError):
        return None
