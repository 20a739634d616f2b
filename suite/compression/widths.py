"""From a pruning goal and channel scores to widths, as pure functions.

Layers that share a width keep sharing it, so that the result is a network of the same kind. Widths are multiples of 8
where there are that many channels: other widths miss the fast kernels (Torch-Pruning issues 38 and 149).
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
    """Return each stage's share of its channels, to the nearest multiple; at least one multiple, or all channels."""
    return tuple(
        min(width, max(multiple, multiple * round(width * share / multiple)))
        for width, share in zip(widths, keep, strict=True)
    )


def uniform_widths(widths: Widths, cost_of: CostOf, most: float, multiple: int = MULTIPLE) -> Widths:
    """Return the largest widths, the same share of every stage, that cost at most ``most``.

    Shares are multiples of 1/128.

    Raises:
        RequestError: Even the smallest network costs more.
    """
    candidates = [kept_widths(widths, [share / 128] * len(widths), multiple) for share in range(129)]
    return _largest(candidates, cost_of, most)


def ranked_widths(scores: Sequence[Floats], cost_of: CostOf, most: float, multiple: int = MULTIPLE) -> Widths:
    """Remove the least important channels of all stages, in blocks, until the network costs at most ``most``.

    Args:
        scores: For each stage, the scores of its best, second best, ... channel, float (width,), descending, on one
            scale for all stages.
        cost_of: The cost of widths.
        most: The limit.
        multiple: Channels of a block; the last block of a stage may be smaller.

    Raises:
        RequestError: With one block left in every stage the network still costs more.
    """
    blocks = [
        (float(stage_scores[start : start + multiple].mean()), stage, start)
        for stage, stage_scores in enumerate(scores)
        for start in range(multiple, len(stage_scores), multiple)
    ]
    left = [len(stage_scores) for stage_scores in scores]
    candidates = [tuple(left)]
    for _, stage, start in sorted(blocks, key=lambda block: (block[0], -block[2])):
        # Scores descend within a stage, so that its last block goes first.
        left[stage] = min(left[stage], start)
        candidates.append(tuple(left))
    return _largest(candidates[::-1], cost_of, most)


def _largest(candidates: Sequence[Widths], cost_of: CostOf, most: float) -> Widths:
    """Return the last of growing candidates that costs at most ``most``, by bisection."""
    smallest = cost_of(candidates[0])
    if smallest > most:
        has = f"has {_cost_text(smallest)}, above the {_cost_text(most)} that were asked for"
        raise RequestError(
            f"the smallest network that pruning can leave, of widths {candidates[0]}, {has}; ask for more, "
            "or train a network with fewer layers"
        )
    fits, exceeds = 0, len(candidates)
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        fits, exceeds = (middle, exceeds) if cost_of(candidates[middle]) <= most else (fits, middle)
    return candidates[fits]


def _cost_text(cost: float) -> str:
    return f"{cost:.2f}" if cost < 10 else f"{cost:,.0f}"
