"""The types that carry a trial from the search space to the report.

A ``TrialConfig`` leads to one ``EpochResult`` an epoch and, at the end, to a ``TrialResult``. A
``TrialConfig`` alone is enough to rebuild a network and to repeat its training. This module imports neither
torch nor ray nor pandas, so that every package may import it.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

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
Stage = Literal["search", "confirm", "parent", "elastic", "pruned", "distilled", "int8"]
Importance = Literal["magnitude", "taylor", "lamp", "bn-scale"]

#: The unit of an attribute's mean absolute error, as it ends a column name (``val_mae_years``).
UNIT: Mapping[str, str] = {"age": "years", "attractiveness": "points"}

#: Far above any set of labels. Each bin is an output of the network.
MOST_BINS = 100_000


@dataclass(frozen=True)
class TrialConfig:
    """Everything that decides the outcome of one training. ``suite.trial_reading`` reads it from files.

    Fields are plain numbers and strings, so that a configuration can be stored as JSON beside the weights. The
    defaults are TinyAgeNet (paper, section on network architecture) trained with the joint loss of DLDL-v2.
    """

    # The network.
    network: Network = "compact"
    # The next three apply to the compact network; the others have fixed ones.
    widths: tuple[int, ...] = PRESETS["tiny"].widths  # channels of each stage
    depths: tuple[int, ...] = PRESETS["tiny"].depths  # 3x3 convolutions of each stage
    pooling: Pooling = "hybrid"
    #: Channels of a pruned VGG-16 or ResNet-50 (``suite.networks.widths``); None: the network's original ones.
    pruned_widths: tuple[int, ...] | None = None

    #: A file of a trained network that this one is pruned from before it trains; None: it is not pruned.
    pruned_from: str | None = None
    pruned_from_sha256: str | None = (
        None  # of that file, filled in when training begins; so are the other two below
    )
    importance: Importance = "taylor"  # how the channels to keep are ranked
    #: The share of its channels that each of five stages is to keep; the widths are the result.
    keep: tuple[float, ...] | None = None

    # The label set and the target distribution.
    attribute: Attribute = "age"
    label_low: float = 0.0
    label_high: float = 100.0
    label_step: float = 1.0
    #: Standard deviation of every target, in label units; None takes that of the annotations, or 2 label steps
    #: where the data has none.
    label_deviation: float | None = None

    # The method (``suite.methods``): output layer, loss and prediction.
    method: MethodName = "dldl-v2"
    #: For dldl and dldl-v2. "mean" divides the KL by the number of bins, as the paper's released code does; "sum"
    #: does not. With 101 bins, lambda 1 under "mean" gives the L1 term the weight of lambda 101 under "sum".
    kl_over_bins: Literal["mean", "sum"] = "mean"
    lambda_l1: float = 1.0  # for dldl-v2: KL(target || prediction) + lambda_l1 * |expectation - label|
    lambda_mean: float = 0.2  # for mean-variance, as is the next (Pan 2018)
    lambda_variance: float = 0.05
    #: The method of the first warmup_epochs of epochs. The others then start with a fresh optimiser and schedule
    #: (the paper trains with KL alone, then jointly). It must have the output layer of `method`.
    warmup_method: MethodName | None = None
    warmup_epochs: int = 0

    #: A file of weights to start from, without the output layer (``suite.training.backbones``); None: none.
    backbone: str | None = None
    #: SHA-256 of that file, filled in when training begins. Where it is given, another file is refused.
    backbone_sha256: str | None = None

    #: A file of a trained network whose distributions this one learns in addition to the labels, where distill_weight
    #: is above 0 (``suite.training.distillation``): loss + distill_weight * T^2 * KL(teacher_T || network_T), with the
    #: temperature T and the KL summed over bins.
    teacher: str | None = None
    teacher_sha256: str | None = None
    distill_weight: float = 0.0
    temperature: float = 2.0

    # The recipe.
    optimizer: Literal["adamw", "adam"] = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    #: "one-cycle" (Smith 2018), or "step": a tenth of the learning rate after half of the epochs (the paper).
    schedule: Literal["one-cycle", "step"] = "one-cycle"
    epochs: int = 12
    batch_size: int = 64
    resolution: int = 64  # pixels a side
    #: The number of training images to use, the same ones for every trial; None: all.
    train_images: int | None = None
    #: "light": flip and shift; "paper": also grey, scale, rotation and colour jitter (``suite.augmentation``).
    augmentation: Augmentation = "light"
    flip: bool = True
    shift_pixels: int = 2  # largest random shift of training images in each direction, at this resolution
    #: "auto" takes bf16 where the device supports it natively, else float32.
    precision: Literal["auto", "bf16", "float32"] = "auto"
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types; tuples become lists."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }


def count_bins(low: float, high: float, step: float) -> int | None:
    """Return the number of label bins; None where it is not whole, or not from 2 to ``MOST_BINS``."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high and 0 < step <= high - low):
        return None
    steps = (high - low) / step
    if steps > MOST_BINS - 1 or abs(steps - round(steps)) > 1e-6:
        return None
    return round(steps) + 1


#: Every network that has a name of its own.
NETWORKS = (*PRESETS, *(name for name in get_args(Network) if name != "compact"))


def config_of_network(name: str) -> TrialConfig:
    """A trial of the network of this name, one of ``NETWORKS``, with defaults for everything else."""
    if name in PRESETS:
        return TrialConfig(widths=PRESETS[name].widths, depths=PRESETS[name].depths)
    return TrialConfig(network=next(network for network in get_args(Network) if network == name))


@dataclass(frozen=True)
class WorstGroup:
    """The group of people with the largest mean absolute error, of all groups that have enough people.

    Attributes:
        name: The column of the data and the group, such as "gender female".
        mae: Its mean absolute error, label units.
        people: Number of people in it.
    """

    name: str
    mae: float
    people: int


@dataclass(frozen=True)
class Metrics:
    """Errors of a network on one split, in label units where they have a unit.

    Estimates are means over an image and its mirror image, the paper's protocol: two passes through the network.
    ``mae_one_pass`` is the MAE of the images as they are: one pass, which latency and multiply-adds count; None where
    it was not measured. ``epsilon_error`` is None where the data has no deviations (paper, section on evaluation
    metrics), ``worst_group`` where it names no groups with enough people (``suite.statistics.worst_group``).
    """

    mae: float
    rmse: float
    pearson: float
    cs3: float  # share of images with an error of at most 3 label units
    cs5: float
    cs8: float
    epsilon_error: float | None
    mae_one_pass: float | None = None
    worst_group: WorstGroup | None = None

    @property
    def worst_group_mae(self) -> float:
        """The mean absolute error of the worst group; NaN where there is none."""
        return math.nan if self.worst_group is None else self.worst_group.mae


@dataclass(frozen=True)
class EpochResult:
    """The results of one epoch of training; ``epoch`` counts from 1."""

    epoch: int
    train_loss: float
    #: Summed over bins at any scale of the loss, so that trials can be compared; NaN for a method without KL.
    train_kl: float
    train_l1: float  # mean of |estimate - label| over the training batches, label units
    learning_rate: float  # at the end of the epoch
    seconds: float  # of training and validation
    images_per_second: float  # of training without validation
    validation: Metrics


@dataclass(frozen=True)
class IdentityEpoch:
    """The results of one epoch of pretraining on identities; ``epoch`` counts from 1."""

    epoch: int
    train_loss: float  # cross-entropy, nats
    accuracy: float  # share of held-out images recognised, 0 to 1; NaN without such images
    seconds: float


@dataclass(frozen=True)
class Profile:
    """The cost of a network, which is known before it trains.

    ``macs`` are multiply-adds at the trial's resolution, ``macs_at_224`` at the paper's. ``bytes`` is the size of the
    safetensors file with the network's parameters and batch-norm statistics in float32.
    """

    params: int
    macs: int
    macs_at_224: int
    bytes: int


@dataclass(frozen=True)
class TrialResult:
    """A row of ``trials.parquet``."""

    id: str
    stage: Stage
    config: TrialConfig
    status: Status
    cause: str  # a sentence where the status is not "finished", else empty
    profile: Profile | None  # None where the trial failed before it was profiled
    validation: Metrics | None  # of the last complete epoch
    epochs_run: int
    seconds: float
    precision: str  # as resolved: "bf16" or "float32"
    trials_known: int  # the number of results that the sampler had when it suggested this trial
    started: float  # seconds since the run's first start
    parent: str | None = None
    slice_of: str | None = None  # id of the elastic training whose slice the training started from
