"""The label set, and the distributions over it: Gaussian targets, expectation, nearest bin, exceedance."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from suite.errors import RequestError
from suite.trial import TrialConfig

#: What a deviation of zero becomes, so that the Gaussian stays defined (released code).
SMALLEST_DEVIATION = 1e-10


@dataclass(frozen=True)
class LabelSet:
    """Bins from ``low`` to ``high``, both included, ``step`` apart (paper: 0..100 by 1, 1..5 by 0.1).

    Raises:
        RequestError: the range is empty or no whole number of steps.
    """

    low: float
    high: float
    step: float

    def __post_init__(self) -> None:
        steps = (self.high - self.low) / self.step if self.step > 0 else 0.0
        if steps < 1 or abs(steps - round(steps)) > 1e-6:
            raise RequestError(
                f"the label set from {self.low:g} to {self.high:g} in steps of {self.step:g} has no whole "
                "number of bins; choose label_low < label_high and a label_step that divides their distance"
            )

    @property
    def bins(self) -> int:
        """Number of bins."""
        return round((self.high - self.low) / self.step) + 1

    @cached_property
    def values(self) -> Tensor:
        """The label of each bin, float32 (bins,)."""
        return torch.linspace(self.low, self.high, self.bins, dtype=torch.float64).float()


def label_set_of(config: TrialConfig) -> LabelSet:
    """Return the label set that a configuration names.

    Raises:
        RequestError: Its range is no whole number of steps.
    """
    return LabelSet(config.label_low, config.label_high, config.label_step)


def target_distribution(labels: Tensor, deviations: Tensor, label_set: LabelSet) -> Tensor:
    """Gaussians over the bins, centred on the labels, each normalised to sum 1.

    Computed in float64 logarithms, so that a deviation of 1e-10 gives the nearest bin all of the mass
    instead of 0 / 0. Two bins at equal distance share it.

    Args:
        labels: float (batch,), label units.
        deviations: float (batch,), label units; zero becomes 1e-10.
        label_set: the bins.

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
    """Expected label, float (batch,), of distributions over the bins, float (batch, bins)."""
    return probabilities @ label_set.values.to(probabilities.device, probabilities.dtype)


def nearest_bin(labels: Tensor, label_set: LabelSet) -> Tensor:
    """Index of the bin nearest to each label, int64 (batch,), of labels, float (batch,).

    A label halfway between two bins takes the upper one; one outside of the range the outermost.
    """
    steps = (labels.double() - label_set.low) / label_set.step
    return (steps + 0.5).floor().clamp(0, label_set.bins - 1).long()


def exceedance(distributions: Tensor) -> Tensor:
    """1 - CDF: the probability that the label lies above each bin but the last.

    Of a label distribution whose deviation goes to 0 this goes to ``ranking_targets``, which is why
    Ranking learns a label distribution without saying so (paper, analysis of Ranking).

    Args:
        distributions: float (batch, bins), each row summing to 1.

    Returns:
        float (batch, bins - 1), falling along each row.
    """
    # Summed from above: 1 - cumsum would leave rounding errors where the tail is empty.
    return distributions.flip(1).cumsum(1).flip(1)[:, 1:]


def ranking_targets(labels: Tensor, label_set: LabelSet) -> Tensor:
    """For each bin but the last whether the label ranks above it, float32 (batch, bins - 1) of 0 and 1.

    "Above" is meant of the nearest bin: for labels on the bins it is Ranking-CNN's y > l_k (Chen 2017),
    and other labels are rounded to the nearest bin rather than up.
    """
    ranks = torch.arange(label_set.bins - 1, device=labels.device)
    return (nearest_bin(labels, label_set).unsqueeze(1) > ranks).float()
