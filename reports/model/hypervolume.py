"""The hypervolume of a front, relative to a box that does not depend on the run's trials."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reports.model.trials import FrontSummary, objectives, reference
from suite.runs.info import RunInfo
from suite.statistics.pareto import hypervolume


@dataclass(frozen=True)
class Volume:
    """``share`` (0..1) of the box between zero and ``corner``, the reference point by objective.

    The error of the corner, in the run's unit, is that of a constant prediction; its sizes are TinyAgeNet's.
    """

    share: float
    corner: Mapping[str, float]


def volume(info: RunInfo, summary: FrontSummary) -> Volume | None:
    """Return the front's hypervolume; None without a front or a reference point."""
    corner = corner_of(info, summary)
    if corner is None or not summary.front:
        return None
    losses = np.array([objectives(trial, info) for trial in summary.front])
    return Volume(hypervolume(losses, list(corner.values())) / math.prod(corner.values()), corner)


def corner_of(info: RunInfo, summary: FrontSummary) -> dict[str, float] | None:
    """Return the reference point by objective; None if TinyAgeNet was not counted under the trials' conditions."""
    tiny = reference(info, "tiny")
    if tiny is None:
        return None
    if "macs" in info.objectives and summary.resolutions != (info.resolution,):
        return None
    constants = {"val_mae": info.data.constant_val_mae, "worst_group_mae": info.data.constant_worst_group_mae}
    corner: dict[str, float | None] = {
        name: constants[name] if name in constants else float(getattr(tiny, name)) for name in info.objectives
    }
    found = {name: value for name, value in corner.items() if value is not None and value > 0}
    return found if len(found) == len(corner) else None
