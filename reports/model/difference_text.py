"""A paired difference in words."""

from reports import formatting
from suite.statistics.paired import Difference

NO_DIFFERENCE = "no difference that this run can see"


def difference_sentence(difference: Difference, quantity: str, unit: str) -> str:
    """State which of two is lower and by how much, or that no difference can be seen.

    Args:
        difference: Of values in ``unit``.
        quantity: What the values are: "MAE".
        unit: "years" or "points".
    """
    interval = difference.interval
    names = f"{difference.second} against {difference.first}"
    basis = f"{formatting.signed(interval.mean, unit)} {unit}, {_basis(difference, unit)}"
    if not difference.seen:
        return f"{names}: {NO_DIFFERENCE} in {quantity} ({basis})."
    return f"{names}: {'lower' if interval.mean < 0 else 'higher'} {quantity} ({basis})."


def _basis(difference: Difference, unit: str) -> str:
    interval = difference.interval
    left_out = f", {difference.unpaired} unpaired left out" if difference.unpaired else ""
    if interval.values == 1:
        return f"one paired seed, so no interval{left_out}"
    ends = f"{formatting.signed(interval.low, unit)} to {formatting.signed(interval.high, unit)}"
    people = f" and {formatting.count(interval.people, 'person', 'people')}" if interval.people else ""
    return (
        f"{100 * interval.confidence:.3g} % interval {ends}, {interval.values} paired seeds{people}{left_out}"
    )
