"""The front's hypervolume as a function of the trials that had ended, and of what had been spent on them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from reports.model.hypervolume import box_of
from reports.model.shared_weights import SharedWeights
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo
from suite.statistics.pareto import non_dominated

#: The hypervolume is computed at up to this many evenly spread numbers of trials.
POINTS = 60


@dataclass(frozen=True)
class Spent:
    """What trainings cost: epochs of networks trained, and multiply-adds of forward passes on training images.

    A backward pass takes about twice a forward pass, which is not counted; nor is validation.
    """

    epochs: int
    macs: float


@dataclass(frozen=True)
class SlicesVolume:
    """The share (0..1) of the box that the scored slices' own front fills, after the elastic training alone."""

    spent: Spent
    share: float


@dataclass(frozen=True)
class Growth:
    """``shares[i]`` (0..1) of the box of ``reports.model.hypervolume`` after the first ``ended[i]`` trials that ended.

    By the errors of the search, since the confirmation comes after it. ``spent[i]`` is for these trials, whatever
    became of them, and for the elastic training that they start from. ``uncounted`` trials trained a network whose
    multiply-adds are unknown, and add epochs only. ``slices`` is None without scored slices.
    """

    ended: tuple[int, ...]
    shares: tuple[float, ...]
    spent: tuple[Spent, ...]
    uncounted: int = 0
    slices: SlicesVolume | None = None


def growth(info: RunInfo, summary: FrontSummary, shared: SharedWeights | None = None) -> Growth | None:
    """Return the growth; None without a box, or if no finished trial lies in it."""
    box = box_of(info)
    in_order = sorted((t for t in summary.trials if math.isfinite(t.ended)), key=lambda t: t.ended)
    if box is None or not any(trial.finished for trial in in_order):
        return None
    losses = np.array([_losses(trial, info) for trial in in_order])
    ends = np.unique(np.linspace(1, len(in_order), min(POINTS, len(in_order))).round().astype(int))
    front, before, shares = np.empty((0, losses.shape[1])), 0, []
    for end in ends:
        front = np.vstack([front, losses[before:end]])
        front, before = front[non_dominated(front)], int(end)
        shares.append(box.share(front))
    if not any(shares):
        return None
    start = elastic_spending(shared)
    spent = spending(in_order, start)
    slices = None
    if shared is not None and shared.front:
        own = np.array([[float(getattr(one, name)) for name in info.objectives] for one in shared.front])
        slices = SlicesVolume(start, box.share(own))
    return Growth(
        ended=tuple(int(end) for end in ends),
        shares=tuple(shares),
        spent=tuple(spent[end - 1] for end in ends),
        uncounted=sum(trial.epochs_run > 0 and math.isnan(trial.macs) for trial in in_order),
        slices=slices,
    )


def elastic_spending(shared: SharedWeights | None) -> Spent:
    """Return what the elastic training of a search cost; nothing where weights are not shared."""
    trainings = shared.elastic if shared is not None else ()
    return Spent(
        sum(training.network_epochs for training in trainings),
        math.fsum(training.forward_macs for training in trainings),
    )


def spending(trials: Sequence[Trial], start: Spent) -> list[Spent]:
    """Return what had been spent after each trial, beginning with ``start``."""
    each = (Spent(trial.epochs_run, _forward_macs(trial)) for trial in trials)
    return list(accumulate(each, _sum, initial=start))[1:]


def _forward_macs(trial: Trial) -> float:
    """Return the multiply-adds of a trial's forward passes on training images; 0 if its network was not counted."""
    per_image = 0.0 if math.isnan(trial.macs) else trial.macs
    return per_image * trial.recipe.train_images * trial.epochs_run


def _sum(first: Spent, second: Spent) -> Spent:
    return Spent(first.epochs + second.epochs, first.macs + second.macs)


def _losses(trial: Trial, info: RunInfo) -> list[float]:
    """Return the losses by the search's errors; NaN, which is on no front, if the trial is not to be on one."""
    worst = trial.searched_worst_group.mae if trial.searched_worst_group else math.nan
    errors = {"val_mae": trial.val_mae, "worst_group_mae": worst}
    if not trial.finished or (info.most and not worst <= info.worst_group_bound):
        return [math.nan] * len(info.objectives)
    return [errors[name] if name in errors else float(getattr(trial, name)) for name in info.objectives]
