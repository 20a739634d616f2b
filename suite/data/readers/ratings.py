"""Attractiveness scores from single ratings."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """The mean rating of a face, and the standard deviation of its raters where it is known."""

    mean: float
    deviation: float | None


def score(ratings: Iterable[float]) -> Score:
    """Compute mean and population standard deviation, as for the votes on the embedded faces."""
    values = np.array(list(ratings), np.float64)
    return Score(round(float(values.mean()), 6), round(float(values.std()), 6) if len(values) > 1 else None)
