"""Paired differences between things that were trained with the same seeds, with confidence intervals.

A seed determines the initial weights, the order of the images and their augmentation. Differences are taken
seed by seed, so that the effect of a seed on both sides cancels (Student 1908). The intervals describe other
seeds on the same splits, not other images; ``suite.statistics.crossed`` has those over people as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from suite.statistics.student_t import student_t_quantile


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its confidence interval, in the unit of the values.

    Attributes:
        mean: Of the values.
        low: Lower end.
        high: Upper end.
        values: How many the mean is of, such as seeds.
        confidence: The share of such intervals that contain the true mean, such as 0.95.
        people: In the images, if the interval is over other people as well; 0 if it is of the same images.
    """

    mean: float
    low: float
    high: float
    values: int
    confidence: float
    people: int = 0

    @property
    def holds_zero(self) -> bool:
        """Whether the interval contains 0."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Difference:
    """The second of two minus the first, over the seeds that both have.

    ``unpaired`` counts the seeds that only one of them has, for example because a training diverged.
    """

    first: str
    second: str
    interval: Interval
    unpaired: int

    @property
    def seen(self) -> bool:
        """Whether the interval excludes 0."""
        return not self.interval.holds_zero


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of independent values with its interval by Student's t.

    The interval of a single value is infinite.

    Raises:
        ValueError: No value, one that is not finite, or a confidence outside of 0 .. 1.
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
    """Return the mean difference of two, second minus first, seed by seed.

    Args:
        first: Its name, and a value per seed (such as an MAE in years).
        second: Likewise, in the same unit.
        confidence: Joint confidence of all comparisons.
        comparisons: Size of the family of comparisons. Each interval is widened so that all hold together with the
            confidence (Bonferroni); of twenty at 95 %, one would otherwise exclude 0 by chance.

    Raises:
        ValueError: No seed in common, or a value that is not finite.
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
    """Compare everything in ``values`` (a value per seed, by name) with the baseline, as one family.

    Raises:
        ValueError: As ``paired_difference``.
        KeyError: The baseline is not among the values.
    """
    others = [name for name in values if name != baseline]
    return tuple(
        paired_difference((baseline, values[baseline]), (name, values[name]), confidence, len(others))
        for name in others
    )
