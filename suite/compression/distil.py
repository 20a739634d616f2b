"""A smaller network trained from scratch as a trial's student, as one row of the run."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch

from suite.compression.derived_trial import (
    DerivedTrial,
    DistillationSettings,
    derive_trial,
    derived_config,
    derived_id,
)
from suite.compression.resumable_fit import OnEpoch, ResumableFit
from suite.deployment.trained_trial import TrainedTrial
from suite.errors import RequestError
from suite.presets import PRESETS, VGG16_DEPTHS, Architecture
from suite.training.fit import fit


@dataclass(frozen=True)
class Distillation:
    """What network is to be trained, and how.

    Attributes:
        widths: channels of the five stages of a compact network.
        depths: its convolutions.
        epochs: of its training, from random weights.
        learning_rate: of that training.
        teaching: what it learns from the trial; with weight 0 it is the network trained on labels alone.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    epochs: int
    learning_rate: float
    teaching: DistillationSettings

    def id_for(self, parent: str) -> str:
        """The id of the row: the same request of the same trial is the same row."""
        return derived_id(parent, "d", self)


def architecture_of(text: str) -> Architecture:
    """Read a preset's name, or widths and perhaps depths: ``8,16,32,64,64`` or ``8,16,32,64,64/1,1,2,2,2``.

    Raises:
        RequestError: it is neither.
    """
    if text in PRESETS:
        return PRESETS[text]
    widths, slash, depths = text.partition("/")
    try:
        numbers = [
            tuple(int(word) for word in part.split(",")) for part in (widths, depths)[: 1 + bool(slash)]
        ]
    except ValueError:
        numbers = []
    if not numbers or any(len(part) != len(VGG16_DEPTHS) or min(part) < 1 for part in numbers):
        raise RequestError(
            f"{text!r} is no network; write one of {', '.join(PRESETS)}, or five widths as 8,16,32,64,64, or "
            "widths and depths as 8,16,32,64,64/1,1,2,2,2"
        )
    return Architecture(*numbers)


def distil_from_scratch(
    trained: TrainedTrial, student: Distillation, on_epoch: OnEpoch, on_stage: Callable[[str], None]
) -> DerivedTrial:
    """Train a student from scratch, with the trial's recipe and seed, or go on where that was interrupted.

    Args:
        trained: the teacher.
        student: what is to be trained.
        on_epoch: told each epoch.
        on_stage: told in a sentence that it begins, or where an interrupted training goes on.

    Raises:
        RequestError: the trial's method has no distribution to distil, or there are no epochs.
        DivergedError: the training diverged.
    """
    config = dataclasses.replace(
        derived_config(trained, student.epochs, student.learning_rate, student.teaching),
        network="compact",
        widths=student.widths,
        depths=student.depths,
        pruned_widths=None,
        warmup_method=trained.config.warmup_method,  # unlike what is trained on, it starts from scratch
        warmup_epochs=trained.config.warmup_epochs,
    )
    trial_id = student.id_for(trained.id)
    resumable = ResumableFit(trained, trial_id, config, on_epoch, on_stage)
    if resumable.interrupted is None:
        on_stage(
            f"training a student of widths {'-'.join(map(str, student.widths))}, {student.epochs} epochs"
        )
    training = resumable.interrupted or fit(config, trained.dataset, threads=torch.get_num_threads())
    resumable.train(training, 1)
    epochs = tuple(resumable.epochs)
    return derive_trial(
        trained, trial_id, "distilled", training.network, training.config, epochs, resumable.seconds
    )
