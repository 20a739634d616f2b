"""How fast networks were measured to be, and under which conditions."""

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
    """The measurement in the columns that end with ``suffix``: none, or ``_at_224``."""
    name = f"speedup_vs_vgg16{suffix}"
    ends = (number(row, column) for column in (name, f"{name}_low", f"{name}_high"))
    return Timing(side, number(row, f"latency_ms_per_image{suffix}"), Spread(*ends))


def common_side(info: RunInfo) -> int:
    """Pixels a side at which all timed trials were measured, besides their own: 224 if none is named."""
    named = info.search.get("latency")
    side = named.get("resolution") if isinstance(named, Mapping) else None
    return side if isinstance(side, int) else PAPER_RESOLUTION


def conditions(info: RunInfo, sides: Sequence[int]) -> str:
    """Pixels a side, batch size and device of measurements in words, as far as recorded; not escaped."""
    how = info.latency
    batch = f"batch {how['batch_size']}" if "batch_size" in how else ""
    device = {"cpu": "CPU", "cuda": "GPU"}.get(str(how.get("device", "")), str(how.get("device", "")))
    if device == "CPU" and "threads" in how:
        device += f" with {how['threads']} thread{'' if how['threads'] == 1 else 's'}"
    return ", ".join(filter(None, (f"{span(sides)} px", batch, device)))
