"""The Pareto front, its hypervolume and its knee: pure functions on arrays, every objective minimised."""

from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt

Losses = npt.NDArray[np.float64]  # (n points, m objectives)


def non_dominated(losses: Losses) -> npt.NDArray[np.bool_]:
    """Find the rows that no other row dominates (Pareto dominance; Deb 2001, section 2.4).

    A row dominates another if it is nowhere larger and somewhere smaller. Of equal rows only the first is on the
    front. A row with a NaN is never on the front and dominates nothing.

    Args:
        losses: float (n, m), all minimised.

    Returns:
        bool (n,).

    Raises:
        ValueError: ``losses`` is not two-dimensional, or has no objective.
    """
    losses = _checked(losses)
    known = np.flatnonzero(~np.isnan(losses).any(axis=1))
    # Sorted by the first objective, then the second and so on, no row is dominated by a later one.
    points, first = np.unique(losses[known], axis=0, return_index=True)
    rows = known[first]
    on_front = np.zeros(len(losses), dtype=np.bool_)
    if losses.shape[1] <= 2:
        on_front[rows[_sorted_front_2d(points)]] = True
        return on_front
    if losses.shape[1] == 3:
        on_front[rows[_sorted_front_3d(points)]] = True
        return on_front
    while len(points):
        on_front[rows[0]] = True
        left = (points < points[0]).any(axis=1)  # neither the head itself nor dominated by it
        points, rows = points[left], rows[left]
    return on_front


def hypervolume(losses: Losses, reference: npt.ArrayLike) -> float:
    """Return the exact volume that the rows dominate, up to the reference point (Zitzler and Thiele 1998).

    Two objectives take one sweep. More are sliced along the last objective, which leaves volumes of one
    dimension less (While and others 2006): quadratic in n for three objectives, n^(m-1) in general.

    Args:
        losses: float (n, m), all minimised; rows with a NaN, or not below the reference in every
            objective, add nothing.
        reference: float (m,).

    Returns:
        The volume, in the product of the objectives' units; 0 where no row is below the reference.

    Raises:
        ValueError: Shapes that do not fit, or a NaN in the reference.
    """
    losses = _checked(losses)
    corner = np.asarray(reference, dtype=np.float64)
    if corner.shape != losses.shape[1:] or np.isnan(corner).any():
        raise ValueError(
            f"the reference point must be {losses.shape[1]} numbers, one per objective; it is {corner}"
        )
    inside = losses[(losses < corner).all(axis=1)]
    return _volume(inside[non_dominated(inside)], corner)


def hypervolume_share(
    losses: Losses, least: npt.ArrayLike, corner: npt.ArrayLike, logarithmic: npt.ArrayLike
) -> float:
    """Return the share of a box that the rows dominate.

    On a logarithmic axis equal factors count alike: on a plain one from 10 k to 10 M, all networks below 1 M share a
    tenth of the box, and a network of 5 M fills half of it or none.

    Args:
        losses: float (n, m), all minimised; rows with a NaN, or not below the corner in every objective, add nothing.
            What lies below ``least`` counts as on it. On a logarithmic axis a value of 0 or less is taken as a NaN.
        least: float (m,), the best corner of the box; above 0 where the axis is logarithmic.
        corner: float (m,), the worst corner, the reference point; above ``least``.
        logarithmic: bool (m,), the axes that are.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: Shapes that do not fit, or a box without volume.
    """
    losses, is_log = _checked(losses), np.asarray(logarithmic, dtype=np.bool_)
    ends = np.array([least, corner], dtype=np.float64)
    if ends.shape != (2, losses.shape[1]) or is_log.shape != ends.shape[1:]:
        raise ValueError(
            f"a box of {losses.shape[1]} objectives has as many ends and axes; it has {ends.shape}"
        )
    if not (ends[0] < ends[1]).all() or (ends[0][is_log] <= 0).any():
        raise ValueError(f"the box from {ends[0]} to {ends[1]} has no volume")

    def scaled(values: Losses) -> Losses:
        known = np.where(values > 0, values, np.nan)
        return np.where(is_log, np.log(np.where(is_log, known, 1.0)), values)

    low, high = scaled(ends)
    return hypervolume(np.maximum((scaled(losses) - low) / (high - low), 0.0), np.ones(len(low)))


def knee(losses: Losses) -> int:
    """Return the row of the best compromise on the front: the point farthest below the line between its extremes.

    The first objective is the error, the others are costs that grow together (parameters,
    multiply-adds). On the front, every objective is taken as its logarithm (as it is, where it has a
    value of 0 or less) and scaled to 0 .. 1. The line from "best error, dearest" to "cheapest, worst
    error" is error + mean(costs) = 1, and the knee is the row with the smallest error + mean(costs).
    With two objectives this is the usual maximum distance to the line between the extremes (Das
    1999); the mean keeps several costs from outvoting the error. Of equals, the first row.

    Args:
        losses: float (n, m), all minimised; rows that are not on the front are passed over.

    Returns:
        Index of a row of ``losses``.

    Raises:
        ValueError: No row without a NaN or an infinity.
    """
    losses = _checked(losses)
    finite = np.where(np.isfinite(losses).all(axis=1, keepdims=True), losses, np.nan)
    rows = np.flatnonzero(non_dominated(finite))
    if not len(rows):
        raise ValueError("a knee needs at least one row of finite losses")
    points = losses[rows]
    positive = (points > 0).all(axis=0)
    points = np.where(positive, np.log(np.where(positive, points, 1.0)), points)
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    costs = scaled[:, 1:].mean(axis=1) if losses.shape[1] > 1 else 0.0
    # Rounded so that rows which tie but for the last bits take the first.
    return int(rows[np.argmin(np.round(scaled[:, 0] + costs, 12))])


def _checked(losses: Losses) -> Losses:
    losses = np.asarray(losses, dtype=np.float64)
    if losses.ndim != 2 or losses.shape[1] == 0:
        raise ValueError(f"losses must be (points, objectives); their shape is {losses.shape}")
    return losses


def _sorted_front_2d(points: Losses) -> npt.NDArray[np.bool_]:
    """Find the front of distinct, sorted rows of at most two objectives: where the last falls below all before."""
    last = points[:, -1]
    before = np.minimum.accumulate(np.concatenate([[np.inf], last]))[:-1]
    front = np.asarray(last < before, dtype=np.bool_)
    front[:1] = True  # the first row is on the front even if it is infinite
    return front


def _sorted_front_3d(points: Losses) -> npt.NDArray[np.bool_]:
    """Find the front of distinct, sorted rows of three objectives, in n log n (Kung, Luccio, Preparata 1975).

    Earlier rows are nowhere larger in the first objective, so a row is on the front if no earlier one is as good
    in the other two. The earlier rows that are unbeaten in these two are kept as a staircase: ``ys`` rises and
    ``zs`` falls.
    """
    front = np.zeros(len(points), dtype=np.bool_)
    ys: list[float] = []
    zs: list[float] = []
    for row, (y, z) in enumerate(points[:, 1:].tolist()):
        position = bisect_right(ys, y)
        if position and zs[position - 1] <= z:
            continue
        front[row] = True
        first = bisect_left(ys, y)  # this row replaces the stairs from here on that are as high
        last = first
        while last < len(zs) and zs[last] >= z:
            last += 1
        ys[first:last], zs[first:last] = [y], [z]
    return front


def _volume(points: Losses, corner: Losses) -> float:
    """Return the hypervolume of rows that are all below the corner."""
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(corner[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    upper = np.append(points[1:, -1], corner[-1])
    heights = upper - points[:, -1]
    if points.shape[1] == 2:
        widths = corner[0] - np.minimum.accumulate(points[:, 0])
        return float(widths @ heights)
    slices = (
        height * _slice(points[: k + 1, :-1], corner[:-1]) for k, height in enumerate(heights) if height > 0
    )
    return float(sum(slices))


def _slice(points: Losses, corner: Losses) -> float:
    return _volume(points[non_dominated(points)], corner) if points.shape[1] > 2 else _volume(points, corner)
