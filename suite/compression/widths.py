"""How many channels each width keeps: pure functions from a goal, and scores of channels, to widths.

Layers that share a width go on sharing it, so that what is left is a network of the same kind, and widths are
multiples of 8 where there are so many: other counts lose the fast kernels (Torch-Pruning issues 38, 149).
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from suite.errors import RequestError
from suite.networks import Widths

MULTIPLE = 8
Floats = npt.NDArray[np.floating]
#: The cost of a network of these widths.
CostOf = Callable[[Widths], float]


def kept_widths(widths: Widths, keep: Sequence[float], multiple: int = MULTIPLE) -> Widths:
    """Each stage's share of its channels, to the nearest multiple; at least one multiple, or all."""
    return tuple(
        min(width, max(multiple, multiple * round(width * share / multiple)))
        for width, share in zip(widths, keep, strict=True)
    )


def uniform_widths(widths: Widths, cost_of: CostOf, most: float, multiple: int = MULTIPLE) -> Widths:
    """The largest equal share of every stage's channels, in 128ths, that costs at most ``most``.

    Raises:
        RequestError: even the smallest network costs more.
    """
    candidates = [kept_widths(widths, [share / 128] * len(widths), multiple) for share in range(129)]
    return _largest(candidates, cost_of, most)


def ranked_widths(scores: Sequence[Floats], cost_of: CostOf, most: float, multiple: int = MULTIPLE) -> Widths:
    """Take the least important channels of all stages, in blocks of ``multiple``, until it costs ``most``.

    Args:
        scores: for each stage float (width,), falling: how important its best, second best, ... channel is,
            on one scale for all stages.
        cost_of: the cost of widths.
        most: what it may cost.
        multiple: channels of a block; the last of a stage may be smaller.

    Raises:
        RequestError: a block in every stage is left, and it still costs more.
    """
    blocks = [
        (float(stage_scores[start : start + multiple].mean()), stage, start)
        for stage, stage_scores in enumerate(scores)
        for start in range(multiple, len(stage_scores), multiple)
    ]
    left = [len(stage_scores) for stage_scores in scores]
    candidates = [tuple(left)]
    for _, stage, start in sorted(blocks, key=lambda block: (block[0], -block[2])):
        # Scores fall within a stage, so that its blocks go from the last to the first.
        left[stage] = min(left[stage], start)
        candidates.append(tuple(left))
    return _largest(candidates[::-1], cost_of, most)


def _largest(candidates: Sequence[Widths], cost_of: CostOf, most: float) -> Widths:
    """The last of growing candidates that costs at most ``most``, by bisection."""
    smallest = cost_of(candidates[0])
    if smallest > most:
        has = f"has {_shown(smallest)}, above the {_shown(most)} that were asked for"
        raise RequestError(
            f"the smallest network that pruning can leave, of widths {candidates[0]}, {has}; ask for more, "
            "or train a network with fewer layers"
        )
    fits, exceeds = 0, len(candidates)
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        fits, exceeds = (middle, exceeds) if cost_of(candidates[middle]) <= most else (fits, middle)
    return candidates[fits]


def _shown(cost: float) -> str:
    return f"{cost:.2f}" if cost < 10 else f"{cost:,.0f}"
