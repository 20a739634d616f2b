"""A mean and its interval as a reader sees them."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from reports import formatting
from suite.statistics.paired import Interval, mean_interval


@dataclass(frozen=True)
class IntervalText:
    """The mean, and the ends of its interval: "7.21", "7.02 to 7.40"."""

    mean: str
    ends: str


def interval_text(interval: Interval, unit: str, *, signed: bool = False) -> IntervalText:
    """Format an interval of errors in ``unit``, or, ``signed``, of their differences."""
    number = formatting.signed if signed else formatting.error
    ends = "one seed, no interval"
    if math.isfinite(interval.low):
        ends = f"{number(interval.low, unit)} to {number(interval.high, unit)}"
    return IntervalText(number(interval.mean, unit), ends)


def mean_text(errors: Collection[float], unit: str) -> IntervalText | None:
    """Format the mean of errors over seeds with its 95 % interval; None without an error."""
    return interval_text(mean_interval(list(errors)), unit) if errors else None
