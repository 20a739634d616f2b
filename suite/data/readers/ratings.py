"""Attractiveness scores from single ratings."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """The mean rating of a face, and the standard deviation of its raters where it is known."""

    mean: float
    deviation: float | None


def score(ratings: Iterable[float], *, sample: bool = False) -> Score:
    """Compute mean and standard deviation.

    Args:
        ratings: At least one.
        sample: Compute the deviation of a sample (n - 1), not that of a population, as for the votes on the embedded
            faces.
    """
    values = np.array(list(ratings), np.float64)
    deviation = round(float(values.std(ddof=sample)), 6) if len(values) > 1 else None
    return Score(round(float(values.mean()), 6), deviation)
