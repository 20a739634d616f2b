"""What the page's scripts draw of weight sharing: the scored slices, and the second way of confirmation."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from reports.model.confirmation import Confirmed
from reports.model.growth import Growth, Spent
from reports.model.rounding import rounded
from reports.model.shared_weights import SharedWeights
from reports.model.trials import Trial
from suite.runs.scored_slices import ScoredSlice

#: Of the scored slices, at most so many are in the page: of their front by size, and of the others by proposal.
MOST_OF_FRONT = 500
MOST_OTHERS = 1500


def sharing_data(
    shared: SharedWeights | None, shown: Sequence[Trial], others: Mapping[str, Confirmed]
) -> dict[str, Any] | None:
    """Return the data; None where weights are not shared.

    Args:
        shared: What the run says of its sharing.
        shown: The page's trials, in the order of their rows.
        others: Members that were confirmed by the other procedure than the one that the run names.
    """
    if shared is None:
        return None
    row = {trial.id: number for number, trial in enumerate(shown)}
    return {
        "confirm": shared.asked.counted,
        "slices": _slices(shared),
        "others": [
            [row[name], rounded(one.mean), len(one.errors)]
            for name, one in others.items()
            if name in row and one.errors
        ],
    }


def growth_data(grown: Growth | None) -> dict[str, Any] | None:
    """Return the front's hypervolume against trials, epochs and multiply-adds; multiply-adds None if unknown."""
    if grown is None:
        return None
    slices = None
    if grown.slices is not None:
        slices = {"ended": 0, "share": rounded(grown.slices.share), **_spent([grown.slices.spent], one=True)}
    return {
        "ended": grown.ended,
        "shares": [rounded(share) for share in grown.shares],
        **_spent(grown.spent),
        "slices": slices,
    }


def _spent(spent: Sequence[Spent], *, one: bool = False) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {
        "epochs": [each.epochs for each in spent],
        "macs": [rounded(each.macs) for each in spent],
    }
    return {name: values[0] for name, values in columns.items()} if one else columns


def _slices(shared: SharedWeights) -> dict[str, Any]:
    front = _spread([one for one in shared.front if math.isfinite(one.val_mae)], MOST_OF_FRONT)
    members = set(map(id, shared.front))
    rest = [one for one in shared.slices if id(one) not in members and math.isfinite(one.val_mae)]
    drawn = [*front, *_spread(rest, MOST_OTHERS)]
    return {
        "scored": len(shared.slices),
        "front": [1] * len(front) + [0] * (len(drawn) - len(front)),
        "error": [rounded(one.val_mae) for one in drawn],
        "widths": [list(one.architecture.widths) for one in drawn],
        "depths": [list(one.architecture.depths) for one in drawn],
        **{cost: [getattr(one, cost) for one in drawn] for cost in ("params", "macs", "bytes")},
    }


def _spread(slices: Sequence[ScoredSlice], most: int) -> Sequence[ScoredSlice]:
    """Return at most so many, evenly spread, the first and the last among them."""
    if len(slices) <= most:
        return slices
    return [slices[round(place * (len(slices) - 1) / (most - 1))] for place in range(most)]
