"""How the front grew while the search went on: its hypervolume after so many trials."""

import math
from dataclasses import dataclass

import numpy as np

from reports.model.hypervolume import corner_of
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo
from suite.statistics.pareto import hypervolume, non_dominated

#: The hypervolume is worked out after so many of the trials, evenly spread; of fewer, after each.
POINTS = 60


@dataclass(frozen=True)
class Growth:
    """``shares[i]`` (0..1) of the box of ``reports.model.hypervolume`` after the first ``ended[i]`` trials that ended.

    By the errors of the search: what the confirmation changed came after it.
    """

    ended: tuple[int, ...]
    shares: tuple[float, ...]


def growth(info: RunInfo, summary: FrontSummary) -> Growth | None:
    """None where there is no reference point, or no finished trial lies below it."""
    corner = corner_of(info, summary)
    in_order = sorted((t for t in summary.trials if math.isfinite(t.ended)), key=lambda t: t.ended)
    if corner is None or not any(trial.finished for trial in in_order):
        return None
    losses = np.array([_losses(trial, info) for trial in in_order])
    box = math.prod(corner.values())
    places = np.unique(np.linspace(1, len(in_order), min(POINTS, len(in_order))).round().astype(int))
    front, before, shares = np.empty((0, losses.shape[1])), 0, []
    for place in places:
        front = np.vstack([front, losses[before:place]])
        front, before = front[non_dominated(front)], int(place)
        shares.append(hypervolume(front, list(corner.values())) / box)
    return Growth(tuple(int(place) for place in places), tuple(shares)) if any(shares) else None


def _losses(trial: Trial, info: RunInfo) -> list[float]:
    """By the search's error; NaN, which is on no front, where the trial did not finish."""
    if not trial.finished:
        return [math.nan] * len(info.objectives)
    return [trial.val_mae if name == "val_mae" else float(getattr(trial, name)) for name in info.objectives]
