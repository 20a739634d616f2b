"""Intervals over seeds and people, where a run keeps predictions; else over seeds, on the same images."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import fmean

from suite.runs.image_errors import ImageErrors
from suite.statistics.paired import Difference, Interval, mean_interval, paired_difference


@dataclass(frozen=True)
class SeedErrors:
    """The errors of one network's trainings.

    Attributes:
        name: Of the network.
        errors: MAE by seed, in the run's unit.
        by_image: The same by image, in rising order of the seeds; None where the run keeps no predictions of them all.
    """

    name: str
    errors: Mapping[int, float]
    by_image: ImageErrors | None

    def of_seeds(self, seeds: Collection[int]) -> ImageErrors | None:
        """Return the errors by image of these seeds, in rising order."""
        rows = [row for row, seed in enumerate(sorted(self.errors)) if seed in seeds]
        return self.by_image.rows(rows) if self.by_image else None


def interval_of(one: SeedErrors, confidence: float = 0.95) -> Interval:
    """Return the mean error with its interval over seeds and people, or over seeds alone where it is of these alone.

    The interval of one seed is infinite: what another seed would change is not known.

    Raises:
        ValueError: There is no error, or one is not finite.
    """
    values = list(one.errors.values())
    over_seeds = mean_interval(values, confidence)
    if one.by_image is None or len(values) < 2:
        return over_seeds
    found = one.by_image.mean(confidence)
    if not found.has_interval:
        return over_seeds
    return Interval(over_seeds.mean, found.low, found.high, len(values), confidence, found.people)


def difference_of(
    first: SeedErrors, second: SeedErrors, confidence: float = 0.95, comparisons: int = 1
) -> Difference:
    """Return the mean difference of two networks, second minus first, by image and seed, or else by seed.

    Args:
        first: A network.
        second: Another.
        confidence: Joint confidence of all comparisons.
        comparisons: Size of the family of comparisons (Bonferroni, as ``paired_difference``).

    Raises:
        ValueError: No seed in common, or a value that is not finite.
    """
    over_seeds = paired_difference(
        (first.name, first.errors), (second.name, second.errors), confidence, comparisons
    )
    common = first.errors.keys() & second.errors.keys()
    own, baseline = second.of_seeds(common), first.of_seeds(common)
    if len(common) < 2 or own is None or baseline is None:
        return over_seeds
    level = 1 - (1 - confidence) / comparisons
    found = own.difference_to(baseline, level)
    if found is None or not found.has_interval:
        return over_seeds
    mean = fmean(second.errors[seed] - first.errors[seed] for seed in common)
    interval = Interval(mean, found.low, found.high, len(common), level, found.people)
    return Difference(first.name, second.name, interval, over_seeds.unpaired)
