"""The types that carry a trial from the search space to the report.

A ``TrialConfig`` leads to one ``EpochResult`` an epoch and, at the end, to a ``TrialResult``. A
``TrialConfig`` alone is enough to rebuild a network and to repeat its training. This module imports neither
torch nor ray nor pandas, so that every package may import it.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from suite.presets import PRESETS

Attribute = Literal["age", "attractiveness"]
Network = Literal["compact", "vgg16", "vgg16-bn", "resnet50"]
MethodName = Literal[
    "mr-l1",
    "mr-l2",
    "dex",
    "ranking-bce",
    "ranking-mse",
    "dldl",
    "er",
    "dldl-v2",
    "mean-variance",
    "coral",
]
Pooling = Literal["hybrid", "average"]
Augmentation = Literal["light", "paper"]
Status = Literal["finished", "stopped", "diverged", "failed"]
Stage = Literal["search", "confirm", "parent", "pruned", "distilled", "int8"]
Importance = Literal["magnitude", "taylor", "lamp", "bn-scale"]

#: The unit of an attribute's mean absolute error, as it ends a column name (``val_mae_years``).
UNIT: Mapping[str, str] = {"age": "years", "attractiveness": "points"}


@dataclass(frozen=True)
class TrialConfig:
    """Everything that decides the outcome of one training.

    Fields are plain numbers and strings, so that a configuration travels as JSON beside the weights
    that it made. The defaults are TinyAgeNet (paper, section on network architecture) trained with
    the joint loss of DLDL-v2.
    """

    # The network.
    network: Network = "compact"
    # The next three are of the compact network; the others have their own.
    widths: tuple[int, ...] = PRESETS["tiny"].widths  # channels of each stage
    depths: tuple[int, ...] = PRESETS["tiny"].depths  # 3x3 convolutions of each stage
    pooling: Pooling = "hybrid"
    #: Channels of a VGG-16 or ResNet-50 that was pruned (``suite.networks.widths``); None: the network's own.
    pruned_widths: tuple[int, ...] | None = None

    #: A file of a trained network that this one is cut out of before it trains; None: it is cut out of none.
    pruned_from: str | None = None
    pruned_from_sha256: str | None = None  # of that file, filled in where training begins, as below
    importance: Importance = "taylor"  # which of its channels stay
    #: The share of its channels that each of five stages was to keep; what that came to are the widths.
    keep: tuple[float, ...] | None = None

    # The label set and the target distribution.
    attribute: Attribute = "age"
    label_low: float = 0.0
    label_high: float = 100.0
    label_step: float = 1.0
    #: Standard deviation of the target, in label units, for every image; None takes the
    #: annotation's own deviation, or 2 label steps where the data has none.
    label_deviation: float | None = None

    # The method (``suite.methods``): output layer, loss and prediction.
    method: MethodName = "dldl-v2"
    #: For dldl and dldl-v2. "mean" divides the KL by the number of bins, as the paper's released code
    #: does; "sum" does not. With 101 bins, lambda 1 under "mean" weighs the L1 term as lambda 101 under
    #: "sum".
    kl_over_bins: Literal["mean", "sum"] = "mean"
    lambda_l1: float = 1.0  # of dldl-v2: KL(target || prediction) + lambda_l1 * |expectation - label|
    lambda_mean: float = 0.2  # of mean-variance, as is the next (Pan 2018)
    lambda_variance: float = 0.05
    #: The first warmup_epochs of epochs train by this method, from which the others then start with a
    #: fresh optimiser and schedule (the paper trains by KL alone, then jointly). It must have the
    #: output layer of `method`.
    warmup_method: MethodName | None = None
    warmup_epochs: int = 0

    #: A file of weights to start from, but for the output layer (``suite.training.backbones``); None: none.
    backbone: str | None = None
    #: SHA-256 of that file, filled in where training begins; where it is given, no other file will do.
    backbone_sha256: str | None = None

    #: A file of a trained network, from whose distributions this one learns beside the labels
    #: (``suite.training.distillation``), where distill_weight is above 0: loss + distill_weight * T^2 * KL(teacher_T
    #: || network_T), T the temperature, the KL summed over bins.
    teacher: str | None = None
    teacher_sha256: str | None = None
    distill_weight: float = 0.0
    temperature: float = 2.0

    # The recipe.
    optimizer: Literal["adamw", "adam"] = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    #: "one-cycle" (Smith 2018), or "step": a tenth of the rate after half of the epochs (the paper).
    schedule: Literal["one-cycle", "step"] = "one-cycle"
    epochs: int = 12
    batch_size: int = 64
    resolution: int = 64  # pixels a side
    #: Train on so many images of the training split only (the same ones for every trial); None: all.
    train_images: int | None = None
    #: "light": flip and shift; "paper": grey, scale, rotation, colour jitter too (``suite.augmentation``).
    augmentation: Augmentation = "light"
    flip: bool = True
    shift_pixels: int = 2  # random shift of the training images, each way, at the trial's resolution
    #: "auto" takes bf16 where the device computes in it, else float32.
    precision: Literal["auto", "bf16", "float32"] = "auto"
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON types (tuples become lists)."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any] | str) -> Self:
        """The configuration that ``to_json`` gave; unknown fields are a ``ValueError``."""
        given: Mapping[str, Any] = json.loads(fields) if isinstance(fields, str) else fields
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"unknown fields of a trial: {', '.join(unknown)}")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        return cls(**values)


#: Every network that has a name of its own.
NETWORKS = (*PRESETS, *(name for name in get_args(Network) if name != "compact"))


def config_of_network(name: str) -> TrialConfig:
    """A trial of the network of this name, one of ``NETWORKS``, with defaults for everything else."""
    if name in PRESETS:
        return TrialConfig(widths=PRESETS[name].widths, depths=PRESETS[name].depths)
    return TrialConfig(network=next(network for network in get_args(Network) if network == name))


@dataclass(frozen=True)
class Metrics:
    """Errors of a network on one split, in label units where a unit applies.

    ``epsilon_error`` is None where the data has no deviations (paper, evaluation metrics).
    """

    mae: float
    rmse: float
    pearson: float
    cs3: float  # share of images with an error of at most 3 label units
    cs5: float
    cs8: float
    epsilon_error: float | None


@dataclass(frozen=True)
class EpochResult:
    """What one epoch of training gave; ``epoch`` counts from 1."""

    epoch: int
    train_loss: float
    #: Summed over bins, whatever the loss's scale, so that trials compare; NaN for a method without KL.
    train_kl: float
    train_l1: float  # mean of |estimate - label| on the training batches, label units
    learning_rate: float  # at the end of the epoch
    seconds: float  # of training and validation
    images_per_second: float  # of training alone
    validation: Metrics


@dataclass(frozen=True)
class IdentityEpoch:
    """What one epoch on identities gave; ``epoch`` counts from 1."""

    epoch: int
    train_loss: float  # cross-entropy, nats
    accuracy: float  # share of the held-out images that are recognised; NaN where there are none
    seconds: float


@dataclass(frozen=True)
class Profile:
    """What a network costs, known before it trains.

    ``macs`` is at the trial's own resolution; ``macs_at_224`` at the paper's. ``bytes`` are those of
    the safetensors file that holds the network's parameters and batch-norm statistics in float32.
    """

    params: int
    macs: int
    macs_at_224: int
    bytes: int


@dataclass(frozen=True)
class TrialResult:
    """One row of ``trials.parquet``."""

    id: str
    stage: Stage
    config: TrialConfig
    status: Status
    cause: str  # one sentence where the status is not "finished"; else empty
    profile: Profile | None  # None where the trial failed before it was profiled
    validation: Metrics | None  # of the last epoch that ended
    epochs_run: int
    seconds: float
    precision: str  # what "auto" came to: "bf16" or "float32"
    trials_known: int  # results that the sampler had when it suggested this trial
    started: float  # seconds since the run's first start
    parent: str | None = None
