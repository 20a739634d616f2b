"""Prediction intervals that hold a stated share of the labels: split conformal prediction, by bands.

The score of an image is |label - estimate| / scale. The scale is the deviation of the image's own distribution (the
locally weighted scores of Lei et al. 2018, "Distribution-free predictive inference for regression", section 5.2), or
one label unit where the method gives no distribution. A score is as likely to be among the lowest 80 % for a new person
as for those of validation (Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world"), so that the
80 % quantile of validation's scores, with its finite-sample correction, is the reach of the interval in scales.

Each band of the **estimate** has a quantile of its own (Mondrian: Vovk, Lindsay, Nouretdinov and Gammerman 2003,
"Mondrian confidence machine"). Networks estimate towards the middle, so that the labels at the ends of the range would
still be held seldom. A band of the **label** of which too few are held therefore has a reach of its own
(label-conditional: Vovk 2012, "Conditional validity of inductive conformal predictors"). The label of a new image is
not known, and need not be: every possible label is asked whether it is within the reach of its band.

Images of one person err together. Each person counts once, however many images there are (the pooled distribution of
Dunn, Wasserman and Ramdas 2022, "Distribution-free prediction sets for two-layer hierarchical models").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Numbers = npt.NDArray[np.intp]  # of people
#: Why an input is unlike the images that the network was calibrated on.
Unlike = Literal["end of range", "flat distribution"]

#: The share of labels that an interval is to hold.
SHARE = 0.8
#: The share of the labels of each band that they are to hold at least.
LEAST = 0.75
#: A band has its own quantile from this many people on; smaller ones are merged with a neighbour.
FEWEST_IN_BAND = 50
#: Without this many people nothing is calibrated, and no coverage is stated.
FEWEST_PEOPLE = 15
#: The share of validation's images that no flag may be for, of each of the two kinds.
USUAL = 0.99
#: Of a label range with more bands none is kept apart.
MOST_BANDS = 100


@dataclass(frozen=True)
class Calibration:
    """What turns estimates into intervals that hold ``share`` of the labels.

    Attributes:
        share: The share of labels that the intervals hold.
        scale: What a score is measured in: the deviation of the image's distribution, or one label unit.
        floor: The smallest deviation that is used, label units.
        edges: Ends of the bands of the estimate, rising, label units; first and last are those of the label range.
        reaches: For each band of the estimate, how many scales a label may be away.
        label_edges: Ends of the bands of the label, likewise.
        label_reaches: For each band of the label, how many scales its labels may be away in any case; mostly 0.
        images: Validation images that it was fitted on.
        people: People in them.
        estimate_low: Below this lie a half of 1 - ``USUAL`` of validation's estimates, label units.
        estimate_high: Above this lie as many.
        deviation_high: Above this lie 1 - ``USUAL`` of validation's deviations, label units; None without them.
    """

    share: float
    scale: Literal["deviation", "unit"]
    floor: float
    edges: tuple[float, ...]
    reaches: tuple[float, ...]
    label_edges: tuple[float, ...]
    label_reaches: tuple[float, ...]
    images: int
    people: int
    estimate_low: float
    estimate_high: float
    deviation_high: float | None


@dataclass(frozen=True)
class LabelBands:
    """The label range, and the bands that it is cut into before small ones are merged.

    Attributes:
        low: Lowest label.
        high: Highest label.
        step: Distance of two labels; the smallest deviation that is told from 0.
        width: Width of a band; bands start at multiples of it.
    """

    low: float
    high: float
    step: float
    width: float

    @property
    def edges(self) -> list[float]:
        """The ends of all bands, rising, label units."""
        first, last = math.floor(self.low / self.width) + 1, math.ceil(self.high / self.width)
        if last - first >= MOST_BANDS:
            return [self.low, self.high]
        return [self.low, *(number * self.width for number in range(first, last)), self.high]


def deviations_of(distributions: npt.NDArray[np.floating], low: float, high: float) -> Floats:
    """Return the standard deviation of each distribution, float64 (n,), label units.

    Args:
        distributions: Distributions over evenly spaced labels, float (n, bins), not negative, no row only zeros.
        low: Label of the first bin.
        high: Label of the last bin.
    """
    shares = distributions.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    labels = np.linspace(low, high, shares.shape[1])
    variances = shares @ labels**2 - (shares @ labels) ** 2
    return np.sqrt(np.maximum(variances, 0.0))


def fit(
    labels: Floats, estimates: Floats, deviations: Floats | None, people: Names, bands: LabelBands
) -> Calibration | None:
    """Fit the calibration on images that the network was not trained on.

    Args:
        labels: float (n,), label units.
        estimates: float (n,), label units.
        deviations: Of the distributions, float (n,), label units; None where the method gives none.
        people: Who is pictured, str (n,).
        bands: The label range and its bands.

    Returns:
        None where there are fewer than ``FEWEST_PEOPLE`` people, or an estimate is infinite or not a number.
    """
    _, person = np.unique(people, return_inverse=True)
    number = _count(person)
    if number < FEWEST_PEOPLE or not np.isfinite(estimates).all():
        return None
    inside, middle = (np.clip(values, bands.low, bands.high) for values in (labels, estimates))
    scores = np.abs(inside - middle)
    if deviations is not None:
        scores = scores / np.maximum(deviations, bands.step)
    edges, label_edges = _merged(bands.edges, middle, person), _merged(bands.edges, inside, person)
    band = _place(middle, edges)
    reaches = _reaches(scores, person, band, SHARE)
    missed = np.where(scores <= np.array(reaches)[band], 0.0, scores)
    weights = _weights(person)
    tail = (1 - USUAL) / 2
    return Calibration(
        share=SHARE,
        scale="unit" if deviations is None else "deviation",
        floor=bands.step,
        edges=tuple(edges),
        reaches=reaches,
        label_edges=tuple(label_edges),
        label_reaches=_reaches(missed, person, _place(inside, label_edges), LEAST),
        images=len(labels),
        people=number,
        estimate_low=_quantile(estimates, weights, tail * number),
        estimate_high=_quantile(estimates, weights, (1 - tail) * number),
        deviation_high=None if deviations is None else _quantile(deviations, weights, USUAL * number),
    )


def intervals(calibration: Calibration, estimates: Floats, deviations: Floats | None) -> Floats:
    """Return the calibrated interval around each estimate: the range of all labels within reach.

    A label is within reach if its score is within that of the estimate's band, or that of the label's own.

    Args:
        calibration: The calibration of the network.
        estimates: float (n,), label units.
        deviations: Of the distributions, float (n,), label units; not used where the scale is the label unit.

    Returns:
        Lower and upper end, float64 (n, 2), label units, within the label range.

    Raises:
        ValueError: The calibration scales deviations, and there are none.
    """
    edges = np.array(calibration.label_edges)
    middle = np.clip(estimates, edges[0], edges[-1])
    own = np.array(calibration.reaches)[_place(middle, calibration.edges)]
    scale = np.ones(len(estimates))
    if calibration.scale == "deviation":
        if deviations is None:
            raise ValueError("its intervals scale the deviation of a distribution, and it gives none")
        scale = np.maximum(deviations, calibration.floor)
    reach = scale[:, None] * np.maximum(own[:, None], np.array(calibration.label_reaches))
    low = np.maximum(edges[:-1], middle[:, None] - reach)
    high = np.minimum(edges[1:], middle[:, None] + reach)
    is_reached = low <= high  # at least in the label's band that the estimate lies in
    ends = np.where(is_reached, low, np.inf).min(axis=1), np.where(is_reached, high, -np.inf).max(axis=1)
    return np.stack(ends, axis=1)


def unlike(calibration: Calibration, estimates: Floats, deviations: Floats | None) -> list[Unlike | None]:
    """Return for each image why it is unlike those of validation; None where it is not.

    About 1 - ``USUAL`` of images like those of validation have each of the two reasons.

    Args:
        calibration: The calibration of the network.
        estimates: float (n,), label units.
        deviations: Of the distributions, float (n,), label units; None where the method gives none.
    """
    found: list[Unlike | None] = [None] * len(estimates)
    is_usual = (estimates >= calibration.estimate_low) & (estimates <= calibration.estimate_high)
    for place in np.flatnonzero(~is_usual).tolist():
        found[place] = "end of range"
    if deviations is not None and calibration.deviation_high is not None:
        for place in np.flatnonzero(deviations > calibration.deviation_high).tolist():
            found[place] = "flat distribution"
    return found


def _merged(edges: list[float], labels: Floats, person: Numbers) -> list[float]:
    """Return the ends of bands that hold ``FEWEST_IN_BAND`` people each, or of one band where there are fewer."""
    kept = [edges[0]]
    for edge in edges[1:-1]:
        if _count(person[(labels >= kept[-1]) & (labels < edge)]) >= FEWEST_IN_BAND:
            kept.append(edge)
    while len(kept) > 1 and _count(person[labels >= kept[-1]]) < FEWEST_IN_BAND:
        kept.pop()
    return [*kept, edges[-1]]


def _place(values: Floats, edges: Sequence[float]) -> Numbers:
    """Return the band that each value within the range lies in."""
    return np.searchsorted(np.array(edges[1:-1]), values, side="right")


def _reaches(scores: Floats, person: Numbers, band: Numbers, share: float) -> tuple[float, ...]:
    """Return for each band the score that a new person's is within with the probability ``share``."""
    parts = ((scores[band == place], person[band == place]) for place in range(int(band.max()) + 1))
    return tuple(_quantile(part, _weights(who), share * (_count(who) + 1)) for part, who in parts)


def _count(person: Numbers) -> int:
    return len(np.unique(person))


def _weights(person: Numbers) -> Floats:
    """Return weights that sum to 1 for each person, float64 (n,)."""
    weights: Floats = 1.0 / np.bincount(person)[person]
    return weights


def _quantile(values: Floats, weights: Floats, level: float) -> float:
    """Return the smallest value up to which the weights sum to ``level``; the largest if they never do."""
    order = np.argsort(values, kind="stable")
    place = int(np.searchsorted(np.cumsum(weights[order]), level - 1e-9))
    return float(values[order[min(place, len(values) - 1)]])
