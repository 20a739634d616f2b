"""Distillation: a smaller network, trained from scratch with a trained trial as its teacher (Hinton 2015)."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch
from pydantic import ValidationError

from search_spaces.trial_fields import field_adapter
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
from suite.presets import PRESETS, Architecture
from suite.training.fit import fit


@dataclass(frozen=True)
class Distillation:
    """The network to train and how to train it.

    The names of the fields are part of a row's id and of the file ``ID.student.json``.

    Attributes:
        widths: Channels of the five stages of a compact network.
        depths: Convolutions of each stage.
        epochs: Epochs of training, from random weights.
        learning_rate: Learning rate of that training.
        teaching: How it learns from the teacher; with weight 0 it learns from labels alone.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    epochs: int
    learning_rate: float
    teaching: DistillationSettings

    def id_for(self, parent_id: str) -> str:
        """Return the id of the row; the same request for the same trial has the same id."""
        return derived_id(parent_id, "d", self)


def architecture_of(text: str) -> Architecture:
    """Read the name of a preset, or widths and optionally depths.

    Widths alone are written as ``8,16,32,64,64``, with depths as ``8,16,32,64,64/1,1,2,2,2``.

    Raises:
        RequestError: The text is neither.
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
    if not numbers or not all(map(_is_allowed, ("widths", "depths"), numbers)):
        raise RequestError(
            f"{text[:60]!r} is not a network; write one of {', '.join(PRESETS)}, or five widths as 8,16,32,64,64, or "
            "widths and depths as 8,16,32,64,64/1,1,2,2,2, none larger than a search space allows"
        )
    return Architecture(*numbers)


def _is_allowed(field: str, sizes: tuple[int, ...]) -> bool:
    """Whether a search space allows these widths or depths."""
    try:
        field_adapter(field).validate_python(sizes)
    except ValidationError:
        return False
    return True


def distil_from_scratch(
    teacher: TrainedTrial, request: Distillation, on_epoch: OnEpoch, on_stage: Callable[[str], None]
) -> DerivedTrial:
    """Train a smaller network from scratch, with the recipe and the seed of its teacher.

    A training that was interrupted continues from its checkpoint.

    Args:
        teacher: The trained trial.
        request: The network to train.
        on_epoch: Called after each epoch.
        on_stage: Called with a sentence when the training begins, or where it continues.

    Raises:
        RequestError: The teacher's method has no distribution to distil, or there are no epochs.
        DivergedError: The training diverged.
    """
    config = dataclasses.replace(
        derived_config(teacher, request.epochs, request.learning_rate, request.teaching),
        network="compact",
        widths=request.widths,
        depths=request.depths,
        pruned_widths=None,
        warmup_method=teacher.config.warmup_method,  # it starts from random weights, as its teacher did
        warmup_epochs=teacher.config.warmup_epochs,
    )
    trial_id = request.id_for(teacher.id)
    resumable = ResumableFit(teacher, trial_id, config, on_epoch, on_stage)
    if resumable.interrupted is None:
        on_stage(
            f"training a student of widths {'-'.join(map(str, request.widths))}, {request.epochs} epochs"
        )
    training = resumable.interrupted or fit(config, teacher.dataset, threads=torch.get_num_threads())
    resumable.train(training, 1)
    epochs = tuple(resumable.epochs)
    return derive_trial(
        teacher, trial_id, "distilled", training.network, training.config, epochs, resumable.seconds
    )
