"""A trial that was made from a trained trial: its configuration, its network, its epochs and its row of the run."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from torch import nn

from suite.deployment.trained_trial import TrainedTrial
from suite.measure.profiling import profile_trial
from suite.training.evaluation import evaluate
from suite.training.inputs import CPU
from suite.training.recipe import Precision, resolve_precision
from suite.trial import EpochResult, Metrics, Stage, TrialConfig, TrialResult


@dataclass(frozen=True)
class DistillationSettings:
    """How a network learns from the distributions of its parent, in addition to its labels.

    Attributes:
        weight: Weight of the distillation loss, as ``TrialConfig.distill_weight``; 0 learns from labels alone.
        temperature: Temperature that softens both distributions, as ``TrialConfig.temperature``.
    """

    weight: float = 0.0
    temperature: float = TrialConfig.temperature


NO_DISTILLATION = DistillationSettings()


@dataclass(frozen=True)
class DerivedTrial:
    """A network that was made from a trial, with its row and the epochs of its training."""

    network: nn.Module
    result: TrialResult
    epochs: tuple[EpochResult, ...]


def derive_trial(
    parent: TrainedTrial,
    trial_id: str,
    stage: Stage,
    network: nn.Module,
    config: TrialConfig,
    epochs: tuple[EpochResult, ...],
    seconds: float,
) -> DerivedTrial:
    """Make the row of a derived network.

    Args:
        parent: The trial that it was made from.
        trial_id: Id of the row.
        stage: Stage of the row.
        network: The network; without an epoch of training it is evaluated on validation here.
        config: Its configuration, with all its epochs.
        epochs: Its epochs, numbered from 1.
        seconds: How long making it took.
    """
    precision = resolve_precision(config.precision, CPU)
    result = TrialResult(
        id=trial_id,
        stage=stage,
        config=config,
        status="finished",
        cause="",
        profile=profile_trial(config, parent.label_set.bins),
        validation=epochs[-1].validation if epochs else _validate(network, config, parent, precision),
        epochs_run=len(epochs),
        seconds=seconds,
        precision=precision,
        trials_known=0,
        started=parent.run.info.seconds,
        parent=parent.id,
    )
    return DerivedTrial(network, result, epochs)


def derived_config(
    parent: TrainedTrial, epochs: int, learning_rate: float, teaching: DistillationSettings
) -> TrialConfig:
    """Return the parent's configuration for another training.

    The recipe stays; what the parent itself started from (backbone, warm-up, pruning) is left out.
    """
    return dataclasses.replace(
        parent.config,
        epochs=epochs,
        learning_rate=learning_rate,
        warmup_method=None,
        warmup_epochs=0,
        backbone=None,
        backbone_sha256=None,
        pruned_from=None,
        pruned_from_sha256=None,
        keep=None,
        teacher=str(parent.weights) if teaching.weight else None,
        teacher_sha256=None,
        distill_weight=teaching.weight,
        temperature=teaching.temperature,
    )


def derived_id(parent_id: str, letter: str, request: Any) -> str:
    """Return the id of a derived trial: the same request for the same parent has the same id.

    The id is a hash of the fields of ``request``, a dataclass. A field with its default value is left out, so that a
    request keeps its id when fields are added.
    """
    fields = {
        field.name: dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]
        for field in dataclasses.fields(request)
        if (value := getattr(request, field.name)) != field.default
    }
    text = json.dumps(fields, sort_keys=True)
    return f"{parent_id}-{letter}{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _validate(network: nn.Module, config: TrialConfig, parent: TrainedTrial, precision: Precision) -> Metrics:
    return evaluate(
        network,
        parent.dataset.splits["val"],
        parent.label_set,
        method=config.method,
        precision=precision,
        device=CPU,
    )
