"""The type of a method: an output layer, a loss and a prediction that belong together."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal, Self

import torch
from torch import Tensor

from suite.methods.heads import Head
from suite.methods.labels import LabelSet
from suite.trial import TrialConfig


@dataclass(frozen=True)
class Targets:
    """The labels of a batch, and the deviations of their target distributions."""

    labels: Tensor  # float32 (batch,), label units
    deviations: Tensor  # of the target distributions, float32 (batch,), label units


@dataclass(frozen=True)
class LossWeights:
    """The fields of a ``TrialConfig`` that losses use, under the same names; each loss takes its own."""

    lambda_l1: float = 1.0
    kl_over_bins: Literal["mean", "sum"] = "mean"
    lambda_mean: float = 0.2
    lambda_variance: float = 0.05

    @classmethod
    def of(cls, config: TrialConfig) -> Self:
        """Return the weights of a configuration."""
        return cls(**{field.name: getattr(config, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class LossParts:
    """The loss of a batch and what is reported with it, each a scalar tensor averaged over the batch."""

    total: Tensor
    kl: Tensor  # summed over bins, independent of its scale in `total`; NaN for a method without KL
    l1: Tensor  # |estimate - label|, label units, even where `total` does not contain it

    @classmethod
    def without_kl(cls, total: Tensor, estimates: Tensor, labels: Tensor) -> Self:
        """Make the parts for a method without KL; ``estimates`` and ``labels`` are float (batch,)."""
        return cls(total, torch.full_like(total, torch.nan), (estimates - labels).abs().mean())


@dataclass(frozen=True)
class Method:
    """One row of the table of methods.

    Attributes:
        summary: The method in a few words.
        head: Makes the output layer. Methods with the same one can follow each other on one network.
        loss: The loss of outputs, float (batch, ...), computed in float32 at any precision of the network.
        decode: Maps outputs to estimated labels, float32 (batch,).
        distribution: Maps outputs to label distributions, float32 (batch, bins), whose rows sum to 1 and whose
            expectation is the estimate; None for a method without a distribution.
    """

    summary: str
    head: Head
    loss: Callable[[Tensor, Targets, LabelSet, LossWeights], LossParts]
    decode: Callable[[Tensor, LabelSet], Tensor]
    distribution: Callable[[Tensor], Tensor] | None = None
