"""Prediction intervals: calibrated on validation, or from the label distribution that a network gives."""

import numpy as np
import numpy.typing as npt

from suite.deployment.inference import Outputs
from suite.errors import RequestError
from suite.statistics.conformal import SHARE, Calibration, deviations_of, intervals
from suite.trial import TrialConfig

Floats = npt.NDArray[np.floating]


def central_interval(
    distributions: Floats, low: float, high: float, share: float = SHARE
) -> npt.NDArray[np.float64]:
    """Return the interval that holds ``share`` of the mass, with half of the rest below it and half above.

    The mass of a bin is spread evenly over half a step either side of its label. The outermost half steps lie outside
    of the label range and are cut off.

    Args:
        distributions: Distributions, float (n, bins), not negative.
        low: Label of the first bin.
        high: Label of the last bin.
        share: Share of the mass inside, between 0 and 1.

    Returns:
        Lower and upper end, float64 (n, 2), label units.
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
    """Return where the cumulative mass reaches ``tail``, by linear interpolation within its bin."""
    above = int(np.searchsorted(below, tail))
    above = min(max(above, 1), len(edges) - 1)
    gained = below[above] - below[above - 1]
    inside = (tail - below[above - 1]) / gained if gained > 0 else 1.0
    return float(edges[above - 1] + inside * (edges[above] - edges[above - 1]))


def intervals_of(
    outputs: Outputs, config: TrialConfig, calibration: Calibration | None
) -> npt.NDArray[np.float64] | None:
    """Return the interval around each estimate: calibrated where the file is, else the distribution's own.

    Args:
        outputs: The outputs of a model.
        config: Its configuration.
        calibration: Of its intervals; None where it has none.

    Returns:
        Lower and upper end, float64 (n, 2), label units; None where there is neither calibration nor distribution.

    Raises:
        RequestError: The calibration scales distributions, and the model gives none.
    """
    if calibration is None:
        if outputs.distributions is None:
            return None
        return central_interval(outputs.distributions, config.label_low, config.label_high)
    try:
        return intervals(calibration, outputs.values.astype(np.float64), output_deviations(outputs, config))
    except ValueError as error:
        raise RequestError(
            f"the model cannot be used with its calibration: {error}; write its file again with 'suite export'"
        ) from None


def output_deviations(outputs: Outputs, config: TrialConfig) -> npt.NDArray[np.float64] | None:
    """Return the deviations of a model's distributions, float64 (n,), label units; None where it gives none."""
    if outputs.distributions is None:
        return None
    return deviations_of(outputs.distributions, config.label_low, config.label_high)
