"""A mean and its interval as a reader sees them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from reports import formatting
from suite.statistics.paired import Interval


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


def mean_text(interval: Interval | None, unit: str) -> IntervalText | None:
    """Format the mean of errors over seeds with its interval; None without an error."""
    return interval_text(interval, unit) if interval else None


def basis(intervals: Iterable[Interval | None]) -> str:
    """Say in a clause what intervals describe: "other seeds and other people", or "other seeds on the same images"."""
    known = [interval for interval in intervals if interval and math.isfinite(interval.low)]
    over_people = [interval for interval in known if interval.people]
    if not over_people:
        return "other seeds on the same images, not other images"
    if len(over_people) < len(known):
        return "other seeds, and, where the run keeps predictions of every training, other people"
    return "other seeds and other people like those of the split"
