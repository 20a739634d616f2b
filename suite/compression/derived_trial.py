"""What is made from a trained trial by training: a network, its epochs and its row of the run."""

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
    """How much of the parent's distributions a network learns beside its labels, and how softened.

    Attributes:
        weight: as ``TrialConfig.distill_weight``; 0: it learns from labels alone.
        temperature: as ``TrialConfig.temperature``.
    """

    weight: float = 0.0
    temperature: float = TrialConfig.temperature


#: From labels alone.
NO_DISTILLATION = DistillationSettings()


@dataclass(frozen=True)
class DerivedTrial:
    """A network that was made from a trial, and what its training said."""

    network: nn.Module
    result: TrialResult
    epochs: tuple[EpochResult, ...]


def derive_trial(
    trained: TrainedTrial,
    trial_id: str,
    stage: Stage,
    network: nn.Module,
    config: TrialConfig,
    epochs: tuple[EpochResult, ...],
    seconds: float,
) -> DerivedTrial:
    """A network with its row.

    Args:
        trained: its parent.
        trial_id: the row's.
        stage: the row's.
        network: evaluated on validation where it had no epoch.
        config: its own, with all its epochs.
        epochs: numbered from 1.
        seconds: that its making took.
    """
    precision = resolve_precision(config.precision, CPU)
    result = TrialResult(
        id=trial_id,
        stage=stage,
        config=config,
        status="finished",
        cause="",
        profile=profile_trial(config, trained.label_set.bins),
        validation=epochs[-1].validation if epochs else _validated(network, config, trained, precision),
        epochs_run=len(epochs),
        seconds=seconds,
        precision=precision,
        trials_known=0,
        started=trained.run.info.seconds,
        parent=trained.id,
    )
    return DerivedTrial(network, result, epochs)


def derived_config(
    trained: TrainedTrial, epochs: int, learning_rate: float, teaching: DistillationSettings
) -> TrialConfig:
    """The parent's configuration for another training: its recipe, but nothing of where the parent began."""
    return dataclasses.replace(
        trained.config,
        epochs=epochs,
        learning_rate=learning_rate,
        warmup_method=None,
        warmup_epochs=0,
        backbone=None,
        backbone_sha256=None,
        pruned_from=None,
        pruned_from_sha256=None,
        keep=None,
        teacher=str(trained.weights) if teaching.weight else None,
        teacher_sha256=None,
        distill_weight=teaching.weight,
        temperature=teaching.temperature,
    )


def derived_id(parent: str, letter: str, request: Any) -> str:
    """The id of a row: the same request (a dataclass) of the same trial is the same row.

    A field that has its default is left out, so that a request keeps its id where fields are added.
    """
    asked = {
        field.name: dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]
        for field in dataclasses.fields(request)
        if (value := getattr(request, field.name)) != field.default
    }
    text = json.dumps(asked, sort_keys=True)
    return f"{parent}-{letter}{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _validated(
    network: nn.Module, config: TrialConfig, trained: TrainedTrial, precision: Precision
) -> Metrics:
    return evaluate(
        network,
        trained.dataset.splits["val"],
        trained.label_set,
        method=config.method,
        precision=precision,
        device=CPU,
    )
