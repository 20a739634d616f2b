"""Metric regression: one output, passed through tanh and scaled to the label range (paper, MR)."""

import torch
from torch import Tensor

from suite.methods.labels import LabelSet
from suite.methods.method import LossParts, LossWeights, Targets


def mapped_label(outputs: Tensor, label_set: LabelSet) -> Tensor:
    """Return estimated labels within the range, float32 (batch,), of outputs, float (batch, 1)."""
    half = (label_set.high - label_set.low) / 2
    return label_set.low + half * (1 + torch.tanh(outputs.float().squeeze(1)))


def absolute_loss(outputs: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights) -> LossParts:
    """Mean of |estimate - label|, label units."""
    estimates = mapped_label(outputs, label_set)
    return LossParts.without_kl((estimates - targets.labels).abs().mean(), estimates, targets.labels)


def squared_loss(outputs: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights) -> LossParts:
    """Mean of (estimate - label)^2, label units squared."""
    estimates = mapped_label(outputs, label_set)
    return LossParts.without_kl((estimates - targets.labels).square().mean(), estimates, targets.labels)
