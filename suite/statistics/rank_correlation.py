"""How well one quantity ranks another: Kendall's tau-b, with a percentile bootstrap interval.

Where all rows are ordered alike, every resample is, too, and the bootstrap says nothing: there is no interval then.
Simulated with normal values of correlation 0.5, 0.8 and 0.95, the other intervals held the true tau in 93 to 100 % of
samples of 5 to 40 rows (``tests/statistics/test_rank_correlation.py``).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

#: Fewer pairs say too little: the resamples of a handful repeat the same few of them.
FEWEST_PAIRS = 5
#: Of more pairs, this many are used, evenly spread over their order; the work grows with their square.
MOST_PAIRS = 500
RESAMPLES = 2000


@dataclass(frozen=True)
class RankCorrelation:
    """Kendall's tau-b, from -1 (opposite order) over 0 to 1 (the same order), with its interval.

    Attributes:
        tau: Of all pairs that were used; NaN where one side has only equal values.
        low: Lower end of the interval; NaN without one, as where tau is -1 or 1.
        high: Upper end of the interval; NaN likewise.
        pairs: How many were used.
        confidence: The share of such intervals that are to contain the true value, such as 0.95.
    """

    tau: float
    low: float
    high: float
    pairs: int
    confidence: float


def kendall_tau(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return Kendall's tau-b (Kendall 1945): agreeing minus opposite pairs of rows, corrected for ties.

    Args:
        x: float (n,).
        y: float (n,), in the order of ``x``.

    Returns:
        From -1 to 1; NaN where one side has only equal values, or there are fewer than two rows.

    Raises:
        ValueError: The shapes differ, or a value is NaN.
    """
    orders = _Orders.of(x, y)
    return float(orders.tau(np.ones((1, orders.rows)))[0])


def rank_correlation(
    x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95, seed: int = 0
) -> RankCorrelation | None:
    """Return Kendall's tau-b with a percentile bootstrap interval over rows (Efron and Tibshirani 1993, chapter 13).

    Rows are drawn with replacement, ``RESAMPLES`` times. Resamples in which one side has only equal values have no
    tau and are left out.

    Args:
        x: float (n,), such as the errors of slices.
        y: float (n,), such as the errors of the same networks after their own training.
        confidence: Of the interval.
        seed: Of the resamples, so that a report says the same again.

    Returns:
        None of fewer than ``FEWEST_PAIRS`` rows.

    Raises:
        ValueError: The shapes differ, or a value is NaN.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(first) > MOST_PAIRS and first.shape == second.shape:
        rows = np.unique(np.linspace(0, len(first) - 1, MOST_PAIRS).round().astype(np.intp))
        first, second = first[rows], second[rows]
    orders = _Orders.of(first, second)
    if orders.rows < FEWEST_PAIRS:
        return None
    tau = float(orders.tau(np.ones((1, orders.rows)))[0])
    drawn = np.random.default_rng(seed).multinomial(
        orders.rows, np.full(orders.rows, 1 / orders.rows), size=RESAMPLES
    )
    taus = orders.tau(drawn.astype(np.float64))
    taus = taus[np.isfinite(taus)]
    low, high = math.nan, math.nan
    if abs(tau) < 1 and len(taus):
        low, high = (float(end) for end in np.quantile(taus, [(1 - confidence) / 2, (1 + confidence) / 2]))
    return RankCorrelation(tau, low, high, orders.rows, confidence)


@dataclass(frozen=True)
class _Orders:
    """Whether the values of two rows differ, and how: matrices over pairs of rows, float (n, n)."""

    agreeing: (
        Values  # 1 where both sides order the two rows alike, -1 where oppositely, 0 where one side ties
    )
    differ_x: Values  # 1 where the x differ
    differ_y: Values

    @classmethod
    def of(cls, x: npt.ArrayLike, y: npt.ArrayLike) -> "_Orders":
        first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if first.ndim != 1 or first.shape != second.shape:
            raise ValueError(f"ranks of {first.shape} and {second.shape} values cannot be compared")
        if np.isnan(first).any() or np.isnan(second).any():
            raise ValueError("a value that is not a number has no rank")
        # Comparisons instead of differences, which overflow and are NaN between infinities.
        signs = [
            (v[:, None] > v).astype(np.float64) - (v[:, None] < v).astype(np.float64) for v in (first, second)
        ]
        return cls(signs[0] * signs[1], np.abs(signs[0]), np.abs(signs[1]))

    @property
    def rows(self) -> int:
        return len(self.agreeing)

    def tau(self, weights: Values) -> Values:
        """Return tau-b of resamples, float (b,), from how often each row is in each, float (b, n)."""
        agreeing, by_x, by_y = (
            ((weights @ matrix) * weights).sum(axis=1)
            for matrix in (self.agreeing, self.differ_x, self.differ_y)
        )
        scale = np.sqrt(by_x * by_y)
        taus: Values = np.divide(agreeing, scale, out=np.full(len(weights), np.nan), where=scale > 0)
        return taus
