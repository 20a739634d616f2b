"""The front's hypervolume as a function of the number of trials that had ended."""

import math
from dataclasses import dataclass

import numpy as np

from reports.model.hypervolume import corner_of
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo
from suite.statistics.pareto import hypervolume, non_dominated

#: The hypervolume is computed at up to this many evenly spread numbers of trials.
POINTS = 60


@dataclass(frozen=True)
class Growth:
    """``shares[i]`` (0..1) of the box of ``reports.model.hypervolume`` after the first ``ended[i]`` trials that ended.

    By the errors of the search, since the confirmation comes after it.
    """

    ended: tuple[int, ...]
    shares: tuple[float, ...]


def growth(info: RunInfo, summary: FrontSummary) -> Growth | None:
    """Return the growth; None without a reference point, or if no finished trial lies below it."""
    corner = corner_of(info, summary)
    in_order = sorted((t for t in summary.trials if math.isfinite(t.ended)), key=lambda t: t.ended)
    if corner is None or not any(trial.finished for trial in in_order):
        return None
    losses = np.array([_losses(trial, info) for trial in in_order])
    box = math.prod(corner.values())
    ends = np.unique(np.linspace(1, len(in_order), min(POINTS, len(in_order))).round().astype(int))
    front, before, shares = np.empty((0, losses.shape[1])), 0, []
    for end in ends:
        front = np.vstack([front, losses[before:end]])
        front, before = front[non_dominated(front)], int(end)
        shares.append(hypervolume(front, list(corner.values())) / box)
    return Growth(tuple(int(end) for end in ends), tuple(shares)) if any(shares) else None


def _losses(trial: Trial, info: RunInfo) -> list[float]:
    """Return the losses by the search's error; NaN, which is on no front, if the trial did not finish."""
    if not trial.finished:
        return [math.nan] * len(info.objectives)
    return [trial.val_mae if name == "val_mae" else float(getattr(trial, name)) for name in info.objectives]
