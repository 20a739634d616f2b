"""Who goes on at a rung: by non-dominated rank, then by crowding; pure functions on arrays.

Multi-objective ASHA (Schmucker and others 2021) in the form that stops and never pauses: a trial that reaches
a rung is placed among all that have reached it, and goes on if it is among the best ``1 / reduction_factor``.
With one objective, the validation error, this is ASHA (Li and others 2020).

Two rules are added. A rung with fewer results than the reduction factor has nothing to compare with, and lets
every trial go on. And a trial that nothing dominates and that has the smallest loss of the rung in any one
objective goes on, however many there are: the front keeps its ends, the smallest network first of all.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.statistics.pareto import Losses, non_dominated


@dataclass(frozen=True)
class Verdict:
    """What a rung says of a trial that reaches it."""

    goes_on: bool
    place: int  # among the results of the rung, from 1; equals share the better one
    of: int  # results at the rung, this one included
    quota: int  # so many go on by their place; 0: the rung has too few results to decide


def judge(recorded: Losses, newcomer: npt.ArrayLike, reduction_factor: int) -> Verdict:
    """Whether a trial goes on; the order of those before it has no say.

    Args:
        recorded: float (n, m), the losses of the trials that reached the rung before, all minimised.
        newcomer: float (m,), those of the trial that reaches it now.
        reduction_factor: one in so many goes on; 2 or more.

    Raises:
        ValueError: shapes that do not fit.
    """
    new = np.asarray(newcomer, dtype=np.float64)
    if new.ndim != 1 or recorded.ndim != 2 or recorded.shape[1] != len(new):
        raise ValueError(f"a newcomer of shape {new.shape} is not comparable with a rung of {recorded.shape}")
    losses = np.vstack([recorded, new])
    place, is_an_end = _placed(losses, new)
    quota = len(losses) // reduction_factor
    goes_on = quota == 0 or place <= quota or is_an_end
    return Verdict(goes_on, place, len(losses), quota)


def crowding(front: Losses) -> npt.NDArray[np.float64]:
    """Crowding distance of each row (Deb and others 2002, section III-B): the room that it has on a front.

    The distance from the neighbour below to the one above, in shares of the objective's range, summed over
    the objectives; infinite at the ends. Positive objectives are taken as their logarithm: in plain numbers
    all small networks would crowd the corner by zero, and be the first to go.

    Args:
        front: float (n, m) of distinct, finite rows in an order that depends on nothing but their values.

    Returns:
        float (n,), rounded to 12 digits, so that rows which tie but for the last bits tie.
    """
    room = np.zeros(len(front))
    for losses in front.T:
        values = np.log(losses) if (losses > 0).all() else losses
        order = np.argsort(values, kind="stable")
        ascending = values[order]
        if (span := ascending[-1] - ascending[0]) == 0:
            continue
        room[order[[0, -1]]] = np.inf
        room[order[1:-1]] += (ascending[2:] - ascending[:-2]) / span
    return np.round(room, 12)


def _placed(losses: Losses, new: npt.NDArray[np.float64]) -> tuple[int, bool]:
    """The place of a row of ``losses``, and whether it is an end of their front."""
    finite = losses[np.isfinite(losses).all(axis=1)]
    if not np.isfinite(new).all():  # behind all that have a result
        return len(finite) + 1, False
    if len(new) == 1:  # each front would be one value
        place = int((finite[:, 0] < new[0]).sum()) + 1
        return place, place == 1
    points, counts = np.unique(finite, axis=0, return_counts=True)
    ahead = 0
    while True:
        members = non_dominated(points)
        front, is_new = points[members], (points[members] == new).all(axis=1)
        if is_new.any():
            break
        ahead += int(counts[members].sum())
        points, counts = points[~members], counts[~members]
    room = crowding(front)
    roomier = int(counts[members][room > room[is_new]].sum())
    is_an_end = ahead == 0 and bool((new == finite.min(axis=0)).any())
    return ahead + roomier + 1, is_an_end
