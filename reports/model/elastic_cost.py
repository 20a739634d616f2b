"""What an elastic training costs: the networks that a step trains, and their multiply-adds.

A step trains the largest network, some random slices, and the smallest one (the sandwich rule; Yu and Huang 2019). The
largest network's multiply-adds were counted when it was trained. Those of the others are estimated as a share of them:
the ratio of the convolutions' multiply-adds by their definition. A random slice draws each stage's width and depth by
itself, uniformly, so the mean over slices follows from the means of each stage.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from reports.model.cells import Row, number, words
from suite.runs.info import RunInfo

#: The values that each stage may have.
Stages = Sequence[Sequence[int]]
LARGEST_VALUE = 65_536


@dataclass(frozen=True)
class ElasticCost:
    """An elastic training and what it cost.

    Attributes:
        id: Of its row in ``trials.parquet``.
        seed: Of the training.
        status: How it ended.
        cause: Why, if it did not finish.
        epochs: Epochs that ended.
        networks: Networks that each step trains.
        images: Training images of an epoch.
        macs: Multiply-adds of one image through all networks of a step, random slices at their mean; NaN if unknown.
        val_mae: Validation MAE of the largest network, in the run's unit; NaN if there is none.
        seconds: Wall time.
    """

    id: str
    seed: int
    status: str
    cause: str
    epochs: int
    networks: int
    images: int
    macs: float
    val_mae: float
    seconds: float

    @property
    def network_epochs(self) -> int:
        """Epochs of networks trained: each epoch counts once for each network of a step."""
        return self.epochs * self.networks

    @property
    def forward_macs(self) -> float:
        """Multiply-adds of the forward passes on training images."""
        return self.macs * self.images * self.epochs


def elastic_cost(row: Row, info: RunInfo) -> ElasticCost:
    """Return the cost of a row of stage ``elastic``."""
    sharing = info.sharing
    randoms = sharing.random_slices if sharing is not None else 0
    stored, used = info.data.train_images_stored, number(row, "train_images")
    return ElasticCost(
        id=str(row["id"]),
        seed=int(row["seed"]),
        status=str(row["status"]),
        cause=words(row, "cause"),
        epochs=int(row["epochs_run"]),
        networks=2 + randoms,
        images=min(int(used), stored) if used > 0 else stored,
        macs=number(row, "macs") * _networks_of_a_step(row, info, randoms),
        val_mae=number(row, info.error_column),
        seconds=number(row, "seconds"),
    )


def _networks_of_a_step(row: Row, info: RunInfo, randoms: int) -> float:
    """Return the multiply-adds of a step's networks as a multiple of the largest one's; NaN if unknown."""
    widths, depths = (choices(row, info, field) for field in ("widths", "depths"))
    if widths is None or depths is None or len(widths) != len(depths):
        return math.nan
    side = int(row["resolution"])
    largest, smallest = (
        expected_macs([[end(stage)] for stage in widths], [[end(stage)] for stage in depths], side)
        for end in (max, min)
    )
    if not largest > 0:  # a row may claim no channels
        return math.nan
    return 1 + (smallest + randoms * expected_macs(widths, depths, side)) / largest


def expected_macs(widths: Stages, depths: Stages, side: int) -> float:
    """Return the mean multiply-adds of one image over all networks of a space.

    Convolutions (3x3, without bias) and the batch normalisations behind them are counted, as by
    ``suite.measure.profiling``; the output layer and pooling, which are far smaller, are not.

    Args:
        widths: Channels that each stage may have, each equally likely, independently of the other stages.
        depths: Convolutions that each stage may have, likewise.
        side: Pixels a side of the image; each stage halves it.
    """
    total, entering = 0.0, 3.0
    for stage, (channels, layers) in enumerate(zip(widths, depths, strict=True)):
        pixels = max(side >> stage, 1) ** 2
        width, squared, depth = fmean(channels), fmean(w * w for w in channels), fmean(layers)
        # A width is independent of the one before it, but within a stage it is the same for all layers.
        total += pixels * (9 * entering * width + (depth - 1) * 9 * squared + 2 * depth * width)
        entering = width
    return total


def choices(row: Row, info: RunInfo, field: str) -> Stages | None:
    """Return the values that each stage of ``widths`` or ``depths`` may have; None if ``run.json`` does not tell.

    A field that the search does not vary has the one value of the row.
    """
    own = [[int(value)] for value in row[field]]
    varied = (info.search.get("vary") or {}).get(field)
    if varied is None:
        return own
    if not isinstance(varied, list | tuple) or len(varied) != len(own):
        return None
    stages = [_values(stage) for stage in varied]
    return None if any(not stage for stage in stages) else stages


def _values(dimension: Any) -> list[int]:
    """Return the whole numbers of a dimension; empty if it is none that widths or depths can have."""
    if not isinstance(dimension, Mapping):
        return []
    found = dimension.get("choices")
    if not isinstance(found, list | tuple):
        ends = [dimension.get("low"), dimension.get("high"), dimension.get("step", 1)]
        if not all(_is_size(end) for end in ends):
            return []
        found = range(ends[0], ends[1] + 1, ends[2])
    return list(found) if all(_is_size(value) for value in found) else []


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_VALUE
