"""An error in a table of published and measured ones."""

from dataclasses import dataclass

from reports import formatting
from reports.model.points import Point
from suite.runs.info import RunInfo


@dataclass(frozen=True)
class Entry:
    """A number as text, with notes below it."""

    text: str
    notes: tuple[str, ...] = ()


def seeds_entry(point: Point, info: RunInfo, label: str = "") -> Entry:
    """Return a point's mean validation MAE without its unit, and its number of seeds; a dash without a result.

    Args:
        point: Whose errors are in the run's unit.
        info: Of the run.
        label: A further note, where a reader must be told which point it is.
    """
    labels = (label,) if label else ()
    if not point.errors:
        return Entry(formatting.MISSING, labels)
    seeds = formatting.count(len(point.errors), "seed")
    return Entry(formatting.error(point.mean, info.unit), (f"mean of {seeds}", *labels))
