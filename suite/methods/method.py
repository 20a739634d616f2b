"""What a method is: an output layer, a loss and a prediction that belong together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from suite.methods.heads import Head
from suite.methods.labels import LabelSet
from suite.trial import TrialConfig


@dataclass(frozen=True)
class Truth:
    """What a batch should come to."""

    labels: Tensor  # float32 (batch,), label units
    deviations: Tensor  # float32 (batch,), label units, of the target distributions


@dataclass(frozen=True)
class LossWeights:
    """The numbers of a ``TrialConfig`` that losses use; each loss takes its own."""

    lambda_l1: float = 1.0
    kl_over_bins: Literal["mean", "sum"] = "mean"
    lambda_mean: float = 0.2
    lambda_variance: float = 0.05

    @classmethod
    def of(cls, config: TrialConfig) -> Self:
        """Those of a configuration."""
        return cls(config.lambda_l1, config.kl_over_bins, config.lambda_mean, config.lambda_variance)


@dataclass(frozen=True)
class LossParts:
    """A batch's loss and what is reported beside it, each a scalar tensor averaged over the batch."""

    total: Tensor
    kl: Tensor  # summed over bins, whatever the scale in `total`; NaN for a method without KL
    l1: Tensor  # |estimate - label|, label units, whether or not `total` has it

    @classmethod
    def without_kl(cls, total: Tensor, estimates: Tensor, labels: Tensor) -> Self:
        """Of a method that has no KL; ``estimates`` and ``labels`` are float (batch,)."""
        return cls(total, torch.full_like(total, torch.nan), (estimates - labels).abs().mean())


@dataclass(frozen=True)
class Method:
    """One row of the table of methods.

    Attributes:
        summary: what it is, in a few words.
        head: makes the output layer; methods with the same one can follow each other on one network.
        loss: of outputs, float (batch, ...); computed on in float32 whatever the network's precision.
        decode: estimated labels, float32 (batch,), of outputs.
        distribution: what the outputs say of each label bin, float32 (batch, bins), each row summing to 1,
            whose expectation is the estimate; None for a method that answers with no distribution.
    """

    summary: str
    head: Head
    loss: Callable[[Tensor, Truth, LabelSet, LossWeights], LossParts]
    decode: Callable[[Tensor, LabelSet], Tensor]
    distribution: Callable[[Tensor], Tensor] | None = None
