"""Lines in the charts of a front: through what is unbeaten in error and one cost, and from parents to children."""

import math
from collections.abc import Callable, Iterable, Sequence

from reports.model.trials import FrontSummary, Trial

#: The costs that errors are drawn against, by the name of the axis.
COSTS: dict[str, Callable[[Trial], float]] = {
    "params": lambda trial: trial.params,
    "macs": lambda trial: trial.macs,
    "bytes": lambda trial: trial.bytes,
    "ms": lambda trial: trial.timing.ms,
}


def unbeaten(front: Iterable[Trial], cost: str) -> tuple[Trial, ...]:
    """Return those of the front that none beats in both error and one cost, by rising cost.

    A front over three objectives has more members than a chart of two quantities can join.

    Args:
        front: The members.
        cost: A key of ``COSTS``; members without a positive value are left out.
    """
    known = [trial for trial in front if COSTS[cost](trial) > 0]
    found: list[Trial] = []
    for trial in sorted(known, key=lambda t: (COSTS[cost](t), t.error)):
        if trial.error < (found[-1].error if found else math.inf):
            found.append(trial)
    return tuple(found)


def lineage(summary: FrontSummary) -> tuple[tuple[Trial, Trial], ...]:
    """Return pairs of parent and child, of what was made from trials and of the front's members."""
    by_id = {trial.id: trial for trial in (*summary.trials, *summary.relatives)}
    children: Sequence[Trial] = (*summary.compressed, *summary.front)
    return tuple((by_id[trial.parent], trial) for trial in children if trial.parent in by_id)
