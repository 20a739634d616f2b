"""Output layers: what stands between a network's features and a method's loss."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

#: Makes an output layer from the number of features and the number of label bins.
Head = Callable[[int, int], nn.Module]


def one_a_bin(features: int, bins: int) -> nn.Module:
    """A linear layer with an output for each label bin: the logits of a distribution."""
    return nn.Linear(features, bins)


def one_a_threshold(features: int, bins: int) -> nn.Module:
    """A linear layer with an output for each bin but the last: is the label above it?"""
    return nn.Linear(features, bins - 1)


def one_value(features: int, bins: int) -> nn.Module:
    """A linear layer with a single output, whatever the number of bins."""
    return nn.Linear(features, 1)


class Coral(nn.Module):
    """One weight vector for all thresholds and a bias for each (Cao, Mirjalili and Raschka 2020).

    The shared weights make the answers rank-consistent once the biases fall from threshold to
    threshold, which training brings about (their theorem 1); they start falling from 1 towards 0.
    """

    def __init__(self, features: int, bins: int) -> None:
        super().__init__()
        self.score = nn.Linear(features, 1, bias=False)
        thresholds = bins - 1
        self.biases = nn.Parameter(torch.arange(thresholds, 0, -1, dtype=torch.float32) / thresholds)

    def forward(self, features: Tensor) -> Tensor:
        """Logits, float (batch, bins - 1), of features, float (batch, features)."""
        score: Tensor = self.score(features)
        return score + self.biases
