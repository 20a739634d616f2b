"""Losses of a network that learns from another network's outputs, for every method.

Each is the method's own loss with the other network in the place of the label: its distribution stands for
the target distribution, and its estimate for the label. Both terms then have the scale of the method's loss,
so that a share of one can be traded for a share of the other. An elastic network's slices learn so from its
largest network (in-place distillation; Yu and Huang 2019, Universally slimmable networks).
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from suite.methods.label_distributions import estimate, kl_divergence, softmax
from suite.methods.labels import LabelSet
from suite.methods.method import LossWeights
from suite.methods.regression import mapped_label
from suite.trial import MethodName

#: The loss, a scalar, of outputs, float (batch, ...), given the other network's outputs of the same shape.
Imitation = Callable[[Tensor, Tensor, LabelSet, LossWeights], Tensor]


def imitation_loss(
    method: MethodName, outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights
) -> Tensor:
    """Compute a batch's loss against another network's outputs, a scalar averaged over the batch.

    Args:
        method: Of both networks.
        outputs: Of the network that learns, float (batch, ...).
        teacher_outputs: The outputs of the network that it learns from, of the same shape; no gradient flows into them.
        label_set: The bins of both.
        weights: The numbers that the method's own loss uses.
    """
    return IMITATIONS[method](outputs, teacher_outputs.detach(), label_set, weights)


def _distribution(
    outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights
) -> Tensor:
    kl = kl_divergence(outputs, softmax(teacher_outputs)).mean()
    return kl / label_set.bins if weights.kl_over_bins == "mean" else kl


def _expectation(
    outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights
) -> Tensor:
    return (estimate(outputs, label_set) - estimate(teacher_outputs, label_set)).abs().mean()


def _joint(outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights) -> Tensor:
    expectation = _expectation(outputs, teacher_outputs, label_set, weights)
    return _distribution(outputs, teacher_outputs, label_set, weights) + weights.lambda_l1 * expectation


def _classes(outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights) -> Tensor:
    return kl_divergence(outputs, softmax(teacher_outputs)).mean()


def _mean(outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights) -> Tensor:
    steps = (estimate(outputs, label_set) - estimate(teacher_outputs, label_set)) / label_set.step
    return (
        _classes(outputs, teacher_outputs, label_set, weights)
        + weights.lambda_mean * steps.square().mean() / 2
    )


def _ranks(outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights) -> Tensor:
    answers = torch.sigmoid(teacher_outputs.float())
    losses = torch.nn.functional.binary_cross_entropy_with_logits(outputs.float(), answers, reduction="none")
    return losses.sum(1).mean()


def _squared_ranks(
    outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights
) -> Tensor:
    apart = torch.sigmoid(outputs.float()) - torch.sigmoid(teacher_outputs.float())
    return apart.square().sum(1).mean()


def _value(outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights) -> Tensor:
    return (mapped_label(outputs, label_set) - mapped_label(teacher_outputs, label_set)).abs().mean()


def _squared_value(
    outputs: Tensor, teacher_outputs: Tensor, label_set: LabelSet, weights: LossWeights
) -> Tensor:
    return (mapped_label(outputs, label_set) - mapped_label(teacher_outputs, label_set)).square().mean()


IMITATIONS: Mapping[MethodName, Imitation] = {
    "mr-l1": _value,
    "mr-l2": _squared_value,
    "dex": _classes,
    "ranking-bce": _ranks,
    "ranking-mse": _squared_ranks,
    "dldl": _distribution,
    "er": _expectation,
    "dldl-v2": _joint,
    "mean-variance": _mean,
    "coral": _ranks,
}
