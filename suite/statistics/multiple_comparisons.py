"""Comparisons of several networks with the best of them, by one model of all trainings.

A validation error is the sum of the network's mean, an effect of the seed, which all networks share, and a remainder
of one variance: a two-way layout without interaction. All trainings estimate this variance together, so three seeds
of five networks give eight degrees of freedom, where a pair of networks alone gives two.

Each network is then compared with the best of the others, and all statements hold together (multiple comparisons with
the best; Hsu 1984, and Hsu, Multiple Comparisons, 1996, chapter 4). They need critical values for as many comparisons
as there are other networks (Dunnett 1955), not for all pairs.

Where a network's variance is plainly larger than that of the others (F test of the extra sum of squares that the
network adds, as in Chow's predictive test of 1960; at 5 %), no common one is estimated: each pair is compared by its
own differences, with Bonferroni's correction, which is much wider.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, fdtrc, ndtr, roots_hermitenorm, roots_legendre, stdtrit

Floats = npt.NDArray[np.float64]
#: Values, such as errors, by network and seed.
Values = Mapping[str, Mapping[int, float]]

#: Variances count as different below this probability that equal ones look so.
VARIANCES_DIFFER = 0.05
#: Nodes of the numerical integration over the shared effect and over the estimated deviation.
NODES = 96


@dataclass(frozen=True)
class BehindBest:
    """How far a network's mean lies behind that of the best of the others.

    Attributes:
        name: Of the network.
        mean: Of its values, adjusted for seeds that it lacks.
        behind: Its mean minus the lowest of the others; negative for the best.
        low: Lower end of the interval of this difference; 0 where another is better for certain.
        high: Upper end; 0 where the network is the best for certain.
    """

    name: str
    mean: float
    behind: float
    low: float
    high: float

    @property
    def is_beaten(self) -> bool:
        """Whether another network is better for certain, at the confidence of the comparison."""
        return self.low == 0 < self.high


@dataclass(frozen=True)
class Comparison:
    """Several networks compared with the best of them; all intervals hold together.

    Attributes:
        networks: By rising mean.
        confidence: Of all intervals together, such as 0.95.
        degrees: Degrees of freedom of the estimated deviation.
        deviation: Of a training from its network's mean and its seed's effect, in the unit of the values; the mean
            over the networks where their variances differ.
        is_pooled: Whether all trainings estimated one deviation.
        detectable: The difference that two networks with all seeds must show to count as different.
    """

    networks: tuple[BehindBest, ...]
    confidence: float
    degrees: int
    deviation: float
    is_pooled: bool
    detectable: float

    def within(self, tolerance: float) -> tuple[BehindBest, ...]:
        """Return the networks that are behind the best by at most a tolerance, for certain."""
        return tuple(one for one in self.networks if one.high <= tolerance)


def compare_with_best(values: Values, confidence: float = 0.95) -> Comparison | None:
    """Compare networks with the best of them; lower values are better.

    Args:
        values: Finite values by network and seed, such as validation errors. Networks without any are left out.
        confidence: With which all intervals hold together.

    Returns:
        None where nothing can be said: fewer than two networks, no seeds in common, or no degree of freedom.

    Raises:
        ValueError: A value is not finite, or the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is a share between 0 and 1; it is {confidence}")
    names = [name for name in values if values[name]]
    layout = _Layout.of([values[name] for name in names])
    if layout is None:
        return None
    is_pooled = not layout.variances_differ()
    reach = layout.pooled_reach(confidence) if is_pooled else layout.reach_of_pairs(confidence)
    networks = [
        _behind(name, layout.means[row], np.delete(layout.means, row), np.delete(reach[row], row))
        for row, name in enumerate(names)
    ]
    return Comparison(
        tuple(sorted(networks, key=lambda one: one.mean)),
        confidence,
        layout.degrees,
        layout.deviation,
        is_pooled,
        float(np.median(reach[~np.eye(len(names), dtype=bool)])),
    )


@cache
def critical_value(others: int, degrees: int, confidence: float) -> float:
    """Return the one-sided critical value for comparisons of one mean with several others (Dunnett 1955).

    Args:
        others: How many means the one is compared with.
        degrees: Degrees of freedom of the deviation.
        confidence: That all comparisons hold.

    Raises:
        ValueError: No other mean, or no degree of freedom.
    """
    if others < 1 or degrees < 1:
        raise ValueError(f"{others} comparisons with {degrees} degrees of freedom have no critical value")
    shared, weights = roots_hermitenorm(NODES)
    weights = weights / math.sqrt(2 * math.pi)
    levels, shares = roots_legendre(NODES)
    deviations = np.sqrt(chdtri(degrees, (1 - levels) / 2) / degrees)

    def probability(limit: float) -> float:
        below = ndtr(shared + math.sqrt(2) * limit * deviations[:, None]) ** others
        return float(shares / 2 @ (below @ weights))

    low, high = -1.0, 1.0
    while probability(high) < confidence:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if probability(middle) < confidence else (low, middle)
    return high


def _behind(name: str, mean: float, others: Floats, reach: Floats) -> BehindBest:
    """Compare a mean with those of the other networks, by the reach of each difference (Hsu 1996, section 4.1)."""
    low = min(0.0, float((mean - others - reach).max()))
    high = max(0.0, float((mean - others + reach).max()))
    return BehindBest(name, float(mean), float(mean - others.min()), low, high)


@dataclass(frozen=True)
class _Layout:
    """A two-way layout, fitted by least squares.

    Attributes:
        values: By network and seed, float (k, m); NaN where there is none.
        means: Of the networks, float (k,).
        scales: Standard error of each pair's difference in units of the deviation, float (k, k).
        degrees: Of freedom.
        deviation: Estimated from all values.
    """

    values: Floats
    means: Floats
    scales: Floats
    degrees: int
    deviation: float

    @classmethod
    def of(cls, networks: Sequence[Mapping[int, float]]) -> "_Layout | None":
        """Fit the layout; None where it has no degree of freedom, or networks that no seed connects."""
        seeds = sorted({seed for one in networks for seed in one})
        values = np.array([[one.get(seed, math.nan) for seed in seeds] for one in networks])
        if any(not math.isfinite(value) for one in networks for value in one.values()):
            raise ValueError(f"a comparison needs finite values; there are {list(map(dict, networks))}")
        if len(networks) < 2:
            return None
        return cls._fitted(values)

    @classmethod
    def _fitted(cls, values: Floats) -> "_Layout | None":
        """Fit values by network and seed, float (k, m), with NaN where there is none; None as in ``of``."""
        values = values[:, ~np.isnan(values).all(axis=0)]
        networks, seeds = values.shape
        rows, columns = np.nonzero(~np.isnan(values))
        effects = np.vstack([np.eye(seeds - 1), -np.ones(seeds - 1)])  # they sum to 0
        design = np.hstack([np.eye(networks)[rows], effects[columns]])
        degrees = len(rows) - design.shape[1]
        if degrees < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
            return None
        inverse = np.linalg.inv(design.T @ design)
        found = inverse @ design.T @ values[rows, columns]
        residuals = values[rows, columns] - design @ found
        means, covariance = found[:networks], inverse[:networks, :networks]
        variances = np.diag(covariance)
        scales = np.sqrt(np.maximum(variances[:, None] + variances - 2 * covariance, 0.0))
        deviation = math.sqrt(float(residuals @ residuals) / degrees)
        return cls(values, means, scales, degrees, deviation)

    def variances_differ(self) -> bool:
        """Whether one network's variance is plainly larger than a common one of the others.

        What a network adds to the squared residuals of the layout without it, per degree of freedom, against those
        of that layout, is an F statistic where all variances are equal. The largest counts, by Bonferroni. Two
        networks alone have one variance of their differences, whatever their own.
        """
        squares, least = self.deviation**2 * self.degrees, 1.0
        for row in range(len(self.means)):
            others = _Layout._fitted(np.delete(self.values, row, axis=0)) if len(self.means) > 2 else None
            if others is None or others.degrees == self.degrees:
                continue
            rest, added = others.deviation**2 * others.degrees, self.degrees - others.degrees
            if squares - rest <= 1e-9 * squares:
                continue
            ratio = (squares - rest) / added * others.degrees / rest if rest else math.inf
            least = min(least, float(fdtrc(added, others.degrees, ratio)))
        return least * len(self.means) < VARIANCES_DIFFER

    def pooled_reach(self, confidence: float) -> Floats:
        """Return how far each pair's difference may be off, float (k, k), by one deviation."""
        return critical_value(len(self.means) - 1, self.degrees, confidence) * self.deviation * self.scales

    def reach_of_pairs(self, confidence: float) -> Floats:
        """Return the same by each pair's own differences; infinite where they have fewer than two seeds in common."""
        differences = self.values[:, None] - self.values
        counts = np.sum(~np.isnan(differences), axis=2)
        reach = np.full(counts.shape, math.inf)
        level = 1 - (1 - confidence) / (len(self.means) - 1)
        for row, column in zip(*np.nonzero(counts > 1), strict=True):
            count = counts[row, column]
            spread = float(np.nanstd(differences[row, column], ddof=1))
            reach[row, column] = stdtrit(count - 1, level) * spread / math.sqrt(count)
        return reach
