"""Which trials go on at a rung: by non-dominated rank, then by crowding; pure functions on arrays.

This is multi-objective ASHA (Schmucker and others 2021) in the variant that stops trials and never pauses
them. A trial that reaches a rung is ranked among all that have reached it, and goes on if it is among the best
``1 / reduction_factor``. With one objective, the validation error, it is ASHA (Li and others 2020).

Two rules are added. A rung with fewer results than the reduction factor has too few to compare, and lets every
trial go on. A trial that is not dominated and has the smallest loss of the rung in any one objective goes on,
whatever its rank, so that the front keeps its ends: the smallest network above all.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.statistics.pareto import Losses, non_dominated


@dataclass(frozen=True)
class Decision:
    """The decision of a rung on a trial that reaches it.

    Attributes:
        goes_on: Whether the trial goes on.
        rank: Of the trial among the results of the rung, from 1; equal results share the better rank.
        of: Results at the rung, this one included.
        quota: How many go on by their rank; 0: the rung has too few results to decide.
    """

    goes_on: bool
    rank: int
    of: int
    quota: int


def decide(recorded: Losses, newcomer: npt.ArrayLike, reduction_factor: int) -> Decision:
    """Decide whether a trial goes on; the order of the earlier trials does not matter.

    Args:
        recorded: float (n, m), losses of the trials that reached the rung before, all minimised.
        newcomer: float (m,), losses of the trial that reaches it now.
        reduction_factor: One in so many goes on; 2 or more.

    Raises:
        ValueError: The shapes do not match.
    """
    new = np.asarray(newcomer, dtype=np.float64)
    if new.ndim != 1 or recorded.ndim != 2 or recorded.shape[1] != len(new):
        raise ValueError(f"a newcomer of shape {new.shape} is not comparable with a rung of {recorded.shape}")
    losses = np.vstack([recorded, new])
    rank, is_an_end = _ranked(losses, new)
    quota = len(losses) // reduction_factor
    goes_on = quota == 0 or rank <= quota or is_an_end
    return Decision(goes_on, rank, len(losses), quota)


def crowding(front: Losses) -> npt.NDArray[np.float64]:
    """Return the crowding distance of each row of a front (Deb and others 2002, section III-B).

    It is the distance from the neighbour below to the one above, in shares of the objective's range, summed
    over the objectives; infinite at the ends. Objectives that are all positive are taken as their logarithm,
    because in plain numbers all small networks would crowd near zero and be stopped first.

    Args:
        front: float (n, m) of distinct, finite rows in an order that depends on nothing but their values.

    Returns:
        float (n,), rounded to 12 digits, so that rows which differ in the last bits only are equal.
    """
    distances = np.zeros(len(front))
    for losses in front.T:
        values = np.log(losses) if (losses > 0).all() else losses
        order = np.argsort(values, kind="stable")
        ascending = values[order]
        if (span := ascending[-1] - ascending[0]) == 0:
            continue
        distances[order[[0, -1]]] = np.inf
        distances[order[1:-1]] += (ascending[2:] - ascending[:-2]) / span
    return np.round(distances, 12)


def _ranked(losses: Losses, new: npt.NDArray[np.float64]) -> tuple[int, bool]:
    """Return the rank of a row of ``losses``, and whether it is an end of their front."""
    finite = losses[np.isfinite(losses).all(axis=1)]
    if not np.isfinite(new).all():  # ranked behind all that have a result
        return len(finite) + 1, False
    if len(new) == 1:  # each front would be one value
        rank = int((finite[:, 0] < new[0]).sum()) + 1
        return rank, rank == 1
    points, counts = np.unique(finite, axis=0, return_counts=True)
    ahead = 0
    while True:
        members = non_dominated(points)
        front, is_new = points[members], (points[members] == new).all(axis=1)
        if is_new.any():
            break
        ahead += int(counts[members].sum())
        points, counts = points[~members], counts[~members]
    distances = crowding(front)
    less_crowded = int(counts[members][distances > distances[is_new]].sum())
    is_an_end = ahead == 0 and bool((new == finite.min(axis=0)).any())
    return ahead + less_crowded + 1, is_an_end
