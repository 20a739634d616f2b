"""Methods whose output is a distribution over the label bins: DEX, DLDL, ER, DLDL-v2, mean-variance.

All predict the expectation of the softmax; they differ in the loss.
"""

import torch
from torch import Tensor

from suite.methods.labels import LabelSet, expectation, nearest_bin, target_distribution
from suite.methods.method import LossParts, LossWeights, Targets


def softmax(logits: Tensor) -> Tensor:
    """Return the label distribution, float32 (batch, bins), of logits (batch, bins)."""
    return torch.softmax(logits.float(), 1)


def estimate(logits: Tensor, label_set: LabelSet) -> Tensor:
    """Return the expectation of the softmax, float32 (batch,) in label units, of logits (batch, bins)."""
    return expectation(softmax(logits), label_set)


def kl_divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Return KL(target || softmax(logits)) summed over bins, float32 (batch,).

    Args:
        logits: float (batch, bins).
        target: float32 (batch, bins), each row sums to 1; a bin may be 0.
    """
    return (torch.xlogy(target, target) - target * torch.log_softmax(logits.float(), 1)).sum(1)


def dldl_loss(logits: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights) -> LossParts:
    """DLDL: KL to the Gaussian label distribution (Gao 2017; the first stage in the paper)."""
    target = target_distribution(targets.labels, targets.deviations, label_set)
    kl = kl_divergence(logits, target).mean()
    scaled = kl / label_set.bins if weights.kl_over_bins == "mean" else kl
    return LossParts(scaled, kl, (estimate(logits, label_set) - targets.labels).abs().mean())


def dldl_v2_loss(logits: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights) -> LossParts:
    """DLDL-v2: KL(target || prediction) + lambda_l1 * |expectation - label| (paper, joint learning).

    ``kl_over_bins`` "mean" divides the KL by the number of bins, as the released code does. A lambda under "mean"
    therefore weighs as much as ``bins`` times that lambda under "sum".
    """
    dldl = dldl_loss(logits, targets, label_set, weights)
    return LossParts(dldl.total + weights.lambda_l1 * dldl.l1, dldl.kl, dldl.l1)


def expectation_loss(
    logits: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights
) -> LossParts:
    """ER: only |expectation - label| (paper, expectation regression)."""
    estimates = estimate(logits, label_set)
    return LossParts.without_kl((estimates - targets.labels).abs().mean(), estimates, targets.labels)


def nearest_bin_cross_entropy(logits: Tensor, targets: Targets, label_set: LabelSet) -> Tensor:
    """Return the cross-entropy of the softmax with the bin nearest to the label, float32 (batch,)."""
    bins = nearest_bin(targets.labels, label_set)
    return torch.nn.functional.cross_entropy(logits.float(), bins, reduction="none")


def dex_loss(logits: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights) -> LossParts:
    """DEX: cross-entropy with the nearest bin (Rothe 2018)."""
    total = nearest_bin_cross_entropy(logits, targets, label_set).mean()
    return LossParts.without_kl(total, estimate(logits, label_set), targets.labels)


def mean_variance_loss(
    logits: Tensor, targets: Targets, label_set: LabelSet, weights: LossWeights
) -> LossParts:
    """Cross-entropy + lambda_mean * (mean - label)^2 / 2 + lambda_variance * variance (Pan 2018).

    Mean and variance are in label steps, which are the classes of Pan; for ages in steps of 1 they are years.
    """
    probabilities = softmax(logits)
    estimates = expectation(probabilities, label_set)
    off_mean = (label_set.values.to(logits.device) - estimates.unsqueeze(1)) / label_set.step
    variance = (probabilities * off_mean.square()).sum(1)
    off_label = ((estimates - targets.labels) / label_set.step).square() / 2
    entropy = nearest_bin_cross_entropy(logits, targets, label_set)
    total = (entropy + weights.lambda_mean * off_label + weights.lambda_variance * variance).mean()
    return LossParts.without_kl(total, estimates, targets.labels)
