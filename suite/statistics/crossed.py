"""Means over trainings and people: intervals for other seeds and other people at once.

Each training (seed) predicts the same images, and a person may be in several of them. An error is the sum of a mean, an
effect of the training, one of the person, and a rest of both: two crossed random factors. The variance of the mean
over all errors then has two parts (Cameron, Gelbach and Miller 2011, "Robust inference with multi-way clustering"):

- that of people, from the sums of each person's errors, divided by the person's leverage, with the degrees of freedom
  of Bell and McCaffrey (2002; Imbens and Kolesar 2016, "Robust standard errors in small samples"), which are fewer
  where some people have many more images than others;
- that of trainings, from their means, less what the rest of both adds to these.

Their sum has degrees of freedom by Satterthwaite (1946). With few trainings this is too narrow where these differ much,
so that the reach is at least the root of the sum of both parts, each times the square of its own quantile.

Resampling trainings and people (the pigeonhole bootstrap; Owen 2007) has the same variance in expectation as the sum
without the subtraction, and its percentiles know no degrees of freedom: three trainings have ten different resamples.

The mean of a few absolute errors is skewed, and Student's t then too seldom reaches up to the true mean. The interval
of errors therefore spans two: that of the mean, and that of its logarithm (delta method).

``tests/statistics/test_crossed.py`` measures the coverage by simulation; docs/statistics.md has the figures.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from suite.statistics.student_t import student_t_quantile

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

#: Of fewer people an interval says too little: it would reach to several times the mean.
FEWEST_PEOPLE = 5
#: The interval of the logarithm reaches up to e to this power times the mean at most, which excludes nothing.
MOST_RELATIVE = 5.0
#: From this many trainings on, what people add to the differences between trainings is subtracted from their variance.
FEWEST_TO_SUBTRACT = 3


@dataclass(frozen=True)
class CrossedMean:
    """A mean over trainings and people, with its interval.

    Attributes:
        mean: Over all images and trainings, in the unit of the values.
        low: Lower end of the interval; NaN where there are too few people to say (``FEWEST_PEOPLE``).
        high: Upper end of the interval; NaN likewise.
        trainings: How many there are. Of one, the interval is over people alone.
        images: How many each training predicted.
        people: How many are in the images.
        confidence: The share of such intervals that are to contain the true mean.
    """

    mean: float
    low: float
    high: float
    trainings: int
    images: int
    people: int
    confidence: float

    @property
    def has_interval(self) -> bool:
        """Whether there are enough people to say."""
        return math.isfinite(self.low)


def mean_error(errors: Floats, people: Names, confidence: float = 0.95) -> CrossedMean:
    """Return the mean of absolute errors with its interval.

    Args:
        errors: Absolute errors by training and image, float (trainings, n) or (n,), label units; n from 1 up.
        people: Who is pictured, str (n,).
        confidence: Of the interval.
    """
    found, reach = _mean_and_reach(errors, people, confidence)
    if math.isnan(reach):
        return found
    relative = reach / found.mean if found.mean > 0 else 0.0
    above = found.mean * math.exp(min(relative, MOST_RELATIVE))
    return replace(found, low=max(found.mean - reach, 0.0), high=max(found.mean + reach, above))


def mean_difference(differences: Floats, people: Names, confidence: float = 0.95) -> CrossedMean:
    """Return the mean of differences between the errors of two networks, image by image, with its interval.

    Args:
        differences: By training and image, float (trainings, n) or (n,), label units. The two networks of a training
            have the same seed.
        people: Who is pictured, str (n,).
        confidence: Of the interval.
    """
    found, reach = _mean_and_reach(differences, people, confidence)
    return replace(found, low=found.mean - reach, high=found.mean + reach)


def _mean_and_reach(values: Floats, people: Names, confidence: float) -> tuple[CrossedMean, float]:
    """Return the mean without ends, and how far each end is from it; NaN where there are too few people."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is a share between 0 and 1; it is {confidence}")
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    trainings, images = table.shape
    _, person = np.unique(people, return_inverse=True)
    number = int(person.max()) + 1
    found = CrossedMean(float(table.mean()), math.nan, math.nan, trainings, images, number, confidence)
    if number < FEWEST_PEOPLE:
        return found, math.nan
    return found, _Variances.of(table, person).reach(confidence)


@dataclass(frozen=True)
class _Variances:
    """The parts of the variance of a mean, each with its degrees of freedom.

    Attributes:
        people: Of people.
        people_degrees: Its degrees of freedom.
        trainings: Of trainings, with what the rest of both adds; 0 of one training.
        rest: What the rest of both adds to either.
        number: Of trainings.
        rest_degrees: Degrees of freedom of the rest.
    """

    people: float
    people_degrees: float
    trainings: float
    rest: float
    number: int
    rest_degrees: int

    @classmethod
    def of(cls, values: Floats, person: npt.NDArray[np.intp]) -> "_Variances":
        """Estimate the parts from values by training and image, float (trainings, n)."""
        trainings, images = values.shape
        counts = np.bincount(person).astype(np.float64)
        centred = values - values.mean(axis=1, keepdims=True)
        sums = np.stack([np.bincount(person, row) for row in centred])  # (trainings, people)
        scale = 1 / (1 - counts / images) / images**2
        common = sums.mean(axis=0)
        degrees = min(_degrees_of_freedom(counts, counts), _degrees_of_freedom(counts, counts**2))
        of_people = float((scale * common**2).sum())
        if trainings == 1:
            return cls(of_people, degrees, 0.0, 0.0, 1, 0)
        rest = float((scale * (sums - common) ** 2).sum()) / trainings / (trainings - 1)
        of_trainings = float(values.mean(axis=1).var(ddof=1)) / trainings
        rest_degrees = (trainings - 1) * (len(counts) - 1)
        return cls(of_people, degrees, of_trainings, rest, trainings, rest_degrees)

    def reach(self, confidence: float) -> float:
        """Return how far an end of the interval is from the mean."""
        level = (1 + confidence) / 2
        by_people = student_t_quantile(level, self.people_degrees) * math.sqrt(self.people)
        if self.number == 1:
            return by_people
        own = self.trainings if self.number < FEWEST_TO_SUBTRACT else self.trainings - self.rest
        if own <= 0:
            return by_people
        by_trainings = student_t_quantile(level, self.number - 1) * math.sqrt(own)
        # Satterthwaite's degrees of freedom of a sum: its square, over that of each part per degree of its own.
        total = self.people + own
        parts = (
            (self.people, self.people_degrees),
            (self.trainings, self.number - 1),
            (self.rest, self.rest_degrees),
        )
        degrees = total**2 / sum(part**2 / of_part for part, of_part in parts)
        by_sum = student_t_quantile(level, max(degrees, 1.0)) * math.sqrt(total)
        return max(by_sum, math.hypot(by_people, by_trainings))


def _degrees_of_freedom(counts: Floats, variances: Floats) -> float:
    """Return the degrees of freedom of the variance of people (Bell and McCaffrey 2002, for a mean).

    Sums S of a person's values have these variances. Their residuals R = S - h sum(S), h the person's share of the
    images, have the covariance W - h w' - w h' + h h' sum(w), which is a diagonal and a matrix of rank two. The
    estimate is the sum of R^2 / (1 - h); the degrees are 2 mean^2 / variance of this quadratic form.

    Args:
        counts: Images of each person, float (people,).
        variances: Of the sums, up to a factor, float (people,): the counts where images are independent, their
            squares where all images of a person err alike.
    """
    h, w = counts / counts.sum(), variances
    scale, total = 1 / (1 - h), variances.sum()
    beside = h * h * total - 2 * h * w  # the diagonal of the part of rank two
    trace = float((scale * (w + beside)).sum())
    inner = np.array(
        [[(scale * h * h).sum(), (scale * h * w).sum()], [(scale * h * w).sum(), (scale * w * w).sum()]]
    )
    product = np.array([[total, -1.0], [-1.0, 0.0]]) @ inner
    squares = float(np.trace(product @ product)) + float((scale**2 * (w * w + 2 * w * beside)).sum())
    return max(trace**2 / squares, 1.0)
