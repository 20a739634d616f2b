"""Measured latency and speed-up, and the conditions of the measurement."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.formatting import span
from reports.model.cells import Row, number
from suite.runs.info import RunInfo
from suite.statistics.spread import Spread

PAPER_RESOLUTION = 224


@dataclass(frozen=True)
class Timing:
    """Latency of an image, in ms, and the speed-up over VGG-16, both at ``side`` pixels."""

    side: int
    ms: float
    speedup: Spread

    @property
    def known(self) -> bool:
        """Whether it was measured."""
        return math.isfinite(self.speedup.value)


def timing(row: Row, side: int, suffix: str) -> Timing:
    """Read the measurement from the columns with a suffix: none, or ``_at_224``."""
    name = f"speedup_vs_vgg16{suffix}"
    ends = (number(row, column) for column in (name, f"{name}_low", f"{name}_high"))
    return Timing(side, number(row, f"latency_ms_per_image{suffix}"), Spread(*ends))


def common_side(info: RunInfo) -> int:
    """Return the common resolution, pixels a side, at which all timed trials were measured; 224 by default."""
    named = info.search.get("latency")
    side = named.get("resolution") if isinstance(named, Mapping) else None
    return side if isinstance(side, int) else PAPER_RESOLUTION


def conditions(info: RunInfo, sides: Sequence[int]) -> str:
    """Describe resolution, batch size and device of measurements, as far as recorded."""
    how = info.latency
    batch = f"batch {how['batch_size']}" if "batch_size" in how else ""
    device = {"cpu": "CPU", "cuda": "GPU"}.get(str(how.get("device", "")), str(how.get("device", "")))
    if device == "CPU" and "threads" in how:
        device += f" with {how['threads']} thread{'' if how['threads'] == 1 else 's'}"
    return ", ".join(filter(None, (f"{span(sides)} px", batch, device)))
