"""Where a label lies with some probability, from the distribution that a network gives."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


def central_interval(
    distributions: Floats, low: float, high: float, share: float = 0.8
) -> npt.NDArray[np.float64]:
    """The interval that leaves half of the rest below and half above.

    A bin's mass is spread evenly over its own step, half a step either side of its label, and the outermost
    half steps, which lie outside of the label range, are cut off.

    Args:
        distributions: (n, bins), each row of numbers from 0 up.
        low: label of the first bin.
        high: label of the last bin.
        share: of the mass that lies inside, between 0 and 1.

    Returns:
        float64 (n, 2): lower and upper end, label units.
    """
    bins = distributions.shape[1]
    step = (high - low) / (bins - 1)
    edges = low + step * (np.arange(bins + 1) - 0.5)
    mass = np.cumsum(distributions.astype(np.float64), axis=1)
    below = np.concatenate([np.zeros((len(mass), 1)), mass / mass[:, -1:]], axis=1)
    tails = (1 - share) / 2, (1 + share) / 2
    ends = [[_quantile(row, edges, tail) for tail in tails] for row in below]
    return np.clip(np.array(ends, np.float64).reshape(-1, 2), low, high)


def _quantile(below: Floats, edges: Floats, tail: float) -> float:
    """Where the cumulated mass reaches ``tail``: within the first bin whose upper edge does."""
    above = int(np.searchsorted(below, tail))
    above = min(max(above, 1), len(edges) - 1)
    gained = below[above] - below[above - 1]
    inside = (tail - below[above - 1]) / gained if gained > 0 else 1.0
    return float(edges[above - 1] + inside * (edges[above] - edges[above - 1]))
