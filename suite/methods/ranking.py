"""Ranking methods, whose outputs say for each bin but the last whether the label ranks above it.

Ranking-CNN (Chen 2017) and OR-CNN (Niu 2016) have separate weights for each threshold, CORAL (Cao 2020) has
shared ones. The loss and the prediction are the same.
"""

import torch
from torch import Tensor, nn

from suite.methods.labels import LabelSet, ranking_targets
from suite.methods.method import LossParts, LossWeights, Targets


def ranked_label(logits: Tensor, label_set: LabelSet) -> Tensor:
    """Return the label that the number of sigmoids over 0.5 reaches, float32 (batch,), of logits (batch, bins - 1).

    The label is NaN where a logit is, so that a broken network does not seem to predict the lowest label.
    """
    labels = label_set.low + label_set.step * (logits.float() > 0).sum(1).float()
    return labels.masked_fill(logits.isnan().any(1), torch.nan)


def rank_cross_entropy_loss(
    logits: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights
) -> LossParts:
    """Binary cross-entropy of each threshold, summed over thresholds (OR-CNN, CORAL)."""
    ranks = ranking_targets(targets.labels, label_set)
    losses = nn.functional.binary_cross_entropy_with_logits(logits.float(), ranks, reduction="none")
    return LossParts.without_kl(losses.sum(1).mean(), ranked_label(logits, label_set), targets.labels)


def rank_squared_loss(
    logits: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights
) -> LossParts:
    """Squared error of each threshold's sigmoid, summed over thresholds (paper, Ranking with MSE)."""
    squared = (torch.sigmoid(logits.float()) - ranking_targets(targets.labels, label_set)).square()
    return LossParts.without_kl(squared.sum(1).mean(), ranked_label(logits, label_set), targets.labels)
