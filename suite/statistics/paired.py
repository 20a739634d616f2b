"""Whether two things that were trained with the same seeds differ: paired differences, with intervals.

A seed decides the first weights, the order of the images and their augmentation. Differences are formed
seed by seed, so that what a seed does to both sides falls out (Student 1908). The interval tells of other
seeds on the same splits; it does not tell of other images.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from suite.statistics.student_t import student_t_quantile


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its confidence interval, in the unit of the values."""

    mean: float
    low: float
    high: float
    values: int  # how many the mean is of
    confidence: float  # 0.95: so many of such intervals hold the true mean

    @property
    def holds_zero(self) -> bool:
        """Whether 0 is among the means that the values allow."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Difference:
    """What the second of two has more than the first, over the seeds that both have.

    ``unpaired`` seeds are those that only one of them has, as where the other's training diverged.
    """

    first: str
    second: str
    interval: Interval
    unpaired: int

    @property
    def seen(self) -> bool:
        """Whether the interval leaves 0 out."""
        return not self.interval.holds_zero


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of independent values with its interval by Student's t.

    One value shows no spread: its interval has no end.

    Raises:
        ValueError: no value, one that is not finite, or a confidence outside of 0 .. 1.
    """
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(f"an interval needs finite values, at least one; there are {list(values)}")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is a share between 0 and 1; it is {confidence}")
    mean, count = fmean(values), len(values)
    if count == 1:
        return Interval(mean, -math.inf, math.inf, 1, confidence)
    reach = student_t_quantile((1 + confidence) / 2, count - 1) * stdev(values) / math.sqrt(count)
    return Interval(mean, mean - reach, mean + reach, count, confidence)


def paired_difference(
    first: tuple[str, Mapping[int, float]],
    second: tuple[str, Mapping[int, float]],
    confidence: float = 0.95,
    comparisons: int = 1,
) -> Difference:
    """How much more the second has than the first, seed by seed.

    Args:
        first: its name, and a value a seed (an MAE in years, say).
        second: likewise, in the same unit.
        confidence: of all comparisons together.
        comparisons: how many are read beside each other. Of twenty at 95 % one would be "seen" by
            chance; each interval is widened so that together they keep the confidence (Bonferroni).

    Raises:
        ValueError: no seed in common, or a value that is not finite.
    """
    common = sorted(first[1].keys() & second[1].keys())
    if not common:
        raise ValueError(
            f"{first[0]} has seeds {sorted(first[1])} and {second[0]} has {sorted(second[1])}; "
            "a paired difference needs a seed that both have"
        )
    differences = [second[1][seed] - first[1][seed] for seed in common]
    interval = mean_interval(differences, 1 - (1 - confidence) / comparisons)
    return Difference(first[0], second[0], interval, len(first[1].keys() ^ second[1].keys()))


def differences_from(
    baseline: str, values: Mapping[str, Mapping[int, float]], confidence: float = 0.95
) -> tuple[Difference, ...]:
    """Everything in ``values`` (a value a seed, by name) against the baseline, as one family of comparisons.

    Raises:
        ValueError: as ``paired_difference``.
        KeyError: the baseline is not among the values.
    """
    others = [name for name in values if name != baseline]
    return tuple(
        paired_difference((baseline, values[baseline]), (name, values[name]), confidence, len(others))
        for name in others
    )
