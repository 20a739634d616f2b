"""Output layers, which map a network's features to the outputs that a loss takes."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

#: Makes an output layer, given the number of features and the number of label bins.
Head = Callable[[int, int], nn.Module]


def per_bin(features: int, bins: int) -> nn.Module:
    """Make a linear layer with an output for each label bin: the logits of a distribution."""
    return nn.Linear(features, bins)


def per_threshold(features: int, bins: int) -> nn.Module:
    """Make a linear layer with an output for each bin but the last: whether the label is above the bin."""
    return nn.Linear(features, bins - 1)


def single_output(features: int, bins: int) -> nn.Module:
    """Make a linear layer with a single output, for any number of bins."""
    return nn.Linear(features, 1)


class Coral(nn.Module):
    """A linear layer with one weight vector for all thresholds (Cao, Mirjalili and Raschka 2020).

    Each threshold has its own bias. The shared weights make the predictions rank-consistent when the biases
    decrease from threshold to threshold, which training brings about (theorem 1). Initially they decrease from 1
    towards 0.
    """

    def __init__(self, features: int, bins: int) -> None:
        super().__init__()
        self.score = nn.Linear(features, 1, bias=False)
        thresholds = bins - 1
        self.biases = nn.Parameter(torch.arange(thresholds, 0, -1, dtype=torch.float32) / thresholds)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, float (batch, bins - 1), of features, float (batch, features)."""
        score: Tensor = self.score(features)
        return score + self.biases
