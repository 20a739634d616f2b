"""How a network's output becomes a loss and an estimate: DLDL-v2, the paper's joint method."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from suite.labels import LabelSet, expectation


@dataclass(frozen=True)
class JointLoss:
    """The parts of a batch's loss, each a scalar tensor averaged over the batch."""

    total: Tensor
    kl: Tensor  # summed over bins, whatever the scale in `total`
    l1: Tensor  # label units


def joint_loss(
    logits: Tensor,
    target: Tensor,
    labels: Tensor,
    label_set: LabelSet,
    *,
    lambda_l1: float,
    kl_over_bins: Literal["mean", "sum"],
) -> JointLoss:
    """KL(target || softmax(logits)) + lambda_l1 * |expectation - label| (paper, joint learning).

    Args:
        logits: float (batch, bins); computed on in float32 whatever the network's precision.
        target: float32 (batch, bins), each row summing to 1.
        labels: float (batch,), label units.
        label_set: the bins.
        lambda_l1: weight of the L1 term.
        kl_over_bins: "mean" divides the KL by the number of bins as the released code does, so that
            its lambda weighs as ``bins`` times that lambda under "sum".
    """
    log_prediction = torch.log_softmax(logits.float(), 1)
    kl = (torch.xlogy(target, target) - target * log_prediction).sum(1).mean()
    l1 = (expectation(log_prediction.exp(), label_set) - labels).abs().mean()
    scaled = kl / label_set.bins if kl_over_bins == "mean" else kl
    return JointLoss(scaled + lambda_l1 * l1, kl, l1)


def estimate(logits: Tensor, label_set: LabelSet) -> Tensor:
    """The estimated label: the expectation of the softmax, float32 (batch,), of logits (batch, bins)."""
    return expectation(torch.softmax(logits.float(), 1), label_set)
