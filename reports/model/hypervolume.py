"""The hypervolume of a front, as the share of a box that depends on the search space and the data alone.

Axes of errors are plain, from zero to the error of a constant prediction. Axes of costs are logarithmic, from the
smallest network of the space to ``BEYOND`` times its largest, so that the largest one fills something, too. Two runs of
one space on the same data have the same box, whatever they trained and whatever their bounds were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.model.trials import FrontSummary, Trial, objectives
from suite.runs.info import RunInfo
from suite.statistics.pareto import Losses, hypervolume_share

#: The reference point is at this many times the cost of the space's largest network.
BEYOND = 2.0
#: The objectives that are costs.
COSTS = ("params", "macs", "bytes")


@dataclass(frozen=True)
class Box:
    """The best corner and the worst, which is the reference point, each by objective in their order."""

    least: Mapping[str, float]
    corner: Mapping[str, float]

    def share(self, losses: Losses) -> float:
        """Return the share (0..1) of the box that trials dominate, float (n, objectives)."""
        logarithmic = [name in COSTS for name in self.corner]
        return hypervolume_share(losses, list(self.least.values()), list(self.corner.values()), logarithmic)


@dataclass(frozen=True)
class Volume:
    """The front's ``share`` (0..1) of a box."""

    share: float
    box: Box


def volume(info: RunInfo, summary: FrontSummary) -> Volume | None:
    """Return the front's hypervolume; None without a front or a box."""
    box = box_of(info)
    if box is None or not summary.front:
        return None
    return Volume(box.share(np.array([objectives(trial, info) for trial in summary.front])), box)


def box_of(info: RunInfo) -> Box | None:
    """Return the box of a run; None if its ``run.json`` does not have the costs of its space.

    That is so in runs of earlier versions, and where the largest network is too large to be counted.
    """
    least: dict[str, float] = {}
    corner: dict[str, float] = {}
    for name in info.objectives:
        if name in COSTS:
            of = info.cost_ranges.get(name)
            ends = (0.0, 0.0) if of is None else (float(of.least), BEYOND * of.greatest)
        else:
            ends = (0.0, _constant_error(info, name))
        if not ends[0] < ends[1]:
            return None
        least[name], corner[name] = ends
    return Box(least, corner)


def common_box(infos: Sequence[RunInfo], fronts: Sequence[Sequence[Trial]]) -> Box | None:
    """Return one box for several runs: around their own boxes, or around what is on their fronts.

    Args:
        infos: Of the runs; the objectives are those of the first.
        fronts: Of the runs.

    Returns:
        The box; that of the runs themselves where they are of one space and on the same data. None where there is
        nothing to put into one.
    """
    boxes = [box_of(info) for info in infos]
    names = list(infos[0].objectives)
    known = [box for box in boxes if box is not None and list(box.corner) == names]
    if len(known) == len(infos):
        return Box(
            {name: min(box.least[name] for box in known) for name in names},
            {name: max(box.corner[name] for box in known) for name in names},
        )
    losses = np.array([objectives(trial, infos[0]) for front in fronts for trial in front])
    if not len(losses) or not np.isfinite(losses).all() or (losses <= 0).any():
        return None
    low, high = losses.min(axis=0), losses.max(axis=0)
    return Box(
        {name: low[i] if name in COSTS else 0.0 for i, name in enumerate(names)},
        {name: high[i] * (BEYOND if name in COSTS else 1.01) for i, name in enumerate(names)},
    )


def _constant_error(info: RunInfo, name: str) -> float:
    """Return the error of a constant prediction; 0 if it is not known."""
    data = info.data
    return data.constant_val_mae if name == "val_mae" else data.constant_worst_group_mae or 0.0
