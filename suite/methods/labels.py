"""The label set, and distributions over it: Gaussian targets, expectation, nearest bin, exceedance."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from suite.errors import RequestError
from suite.trial import MOST_BINS, TrialConfig, count_bins

#: Replaces a deviation of zero, for which the Gaussian is undefined (released code).
SMALLEST_DEVIATION = 1e-10


@dataclass(frozen=True)
class LabelSet:
    """Label bins from ``low`` to ``high``, both included, ``step`` apart.

    The paper has 0 to 100 in steps of 1 for ages, and 1 to 5 in steps of 0.1 for attractiveness.

    Raises:
        RequestError: The range is empty, or not a multiple of the step, or there are more than ``MOST_BINS`` bins.
    """

    low: float
    high: float
    step: float

    def __post_init__(self) -> None:
        if count_bins(self.low, self.high, self.step) is None:
            raise RequestError(
                f"the label set from {self.low:g} to {self.high:g} in steps of {self.step:g} has no whole number of "
                f"bins from 2 to {MOST_BINS:,}; choose label_low < label_high and a label_step that divides their "
                "distance"
            )

    @property
    def bins(self) -> int:
        """The number of bins."""
        return round((self.high - self.low) / self.step) + 1

    @cached_property
    def values(self) -> Tensor:
        """The label of each bin, float32 (bins,)."""
        return torch.linspace(self.low, self.high, self.bins, dtype=torch.float64).float()


def label_set_of(config: TrialConfig) -> LabelSet:
    """Return the label set that a configuration names.

    Raises:
        RequestError: Its range is not a whole number of steps.
    """
    return LabelSet(config.label_low, config.label_high, config.label_step)


def target_distribution(labels: Tensor, deviations: Tensor, label_set: LabelSet) -> Tensor:
    """Return Gaussians over the bins, centred on the labels, each normalised to a sum of 1.

    They are computed from float64 logarithms. A deviation of 1e-10 then gives the nearest bin all of the mass
    instead of 0 / 0; two bins at the same distance share it.

    Args:
        labels: float (batch,), label units.
        deviations: float (batch,), label units; zero becomes 1e-10.
        label_set: The bins.

    Returns:
        float32 (batch, bins).
    """
    distance = label_set.values.to(labels.device).double() - labels.double().unsqueeze(1)
    spread = deviations.double().clamp(min=SMALLEST_DEVIATION).unsqueeze(1)
    # The offset cancels in the softmax; it keeps the exponents of tiny deviations finite.
    squared = distance.square()
    squared = squared - squared.amin(1, keepdim=True)
    return torch.softmax(-squared / (2 * spread.square()), 1).float()


def expectation(probabilities: Tensor, label_set: LabelSet) -> Tensor:
    """Return expected labels, float (batch,), of distributions over the bins, float (batch, bins)."""
    return probabilities @ label_set.values.to(probabilities.device, probabilities.dtype)


def nearest_bin(labels: Tensor, label_set: LabelSet) -> Tensor:
    """Return the index of the bin nearest to each label, int64 (batch,), of labels, float (batch,).

    A label halfway between two bins takes the upper one. A label outside the range takes the outermost bin.
    """
    steps = (labels.double() - label_set.low) / label_set.step
    return (steps + 0.5).floor().clamp(0, label_set.bins - 1).long()


def exceedance(distributions: Tensor) -> Tensor:
    """Return 1 - CDF, the probability that the label lies above each bin but the last.

    As the deviation of a label distribution goes to 0, this goes to ``ranking_targets``: Ranking implicitly learns
    a label distribution (paper, analysis of Ranking).

    Args:
        distributions: float (batch, bins), each row sums to 1.

    Returns:
        float (batch, bins - 1), non-increasing along each row.
    """
    # Summed from above, because 1 - cumsum would leave rounding errors where the tail is empty.
    return distributions.flip(1).cumsum(1).flip(1)[:, 1:]


def ranking_targets(labels: Tensor, label_set: LabelSet) -> Tensor:
    """Return whether the label ranks above each bin but the last, float32 (batch, bins - 1) of 0 and 1.

    Labels are rounded to the nearest bin first. For labels on the bins, this is y > l_k of Ranking-CNN (Chen
    2017); other labels are not rounded up as there.
    """
    ranks = torch.arange(label_set.bins - 1, device=labels.device)
    return (nearest_bin(labels, label_set).unsqueeze(1) > ranks).float()
