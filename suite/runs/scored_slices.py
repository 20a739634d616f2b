"""``scored.parquet``: the validation errors of slices as they are, without training of their own."""

import math
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from suite.errors import RequestError
from suite.files.atomic import atomic_path
from suite.files.reading import LARGEST_INTEGER, FileContentError, read_table
from suite.presets import VGG16_DEPTHS, Architecture
from suite.runs.columns import Column, check_table
from suite.runs.layout import SCORED
from suite.statistics.pareto import non_dominated

#: As many as a search may be asked for.
MOST_SLICES = 1_000_000
STAGES = len(VGG16_DEPTHS)

_WIDTHS = Column("wholes", optional=False, required=True, low=1, high=65_536)
_DEPTHS = Column("wholes", optional=False, required=True, low=1, high=100)
_ERROR = Column("number", required=True, low=0, infinite=True)
_COST = Column("whole", optional=False, required=True, low=1, high=LARGEST_INTEGER)
_COSTS = {"params": _COST, "macs": _COST, "bytes": _COST}


@dataclass(frozen=True)
class ScoredSlice:
    """A slice whose error was measured.

    Attributes:
        architecture: Its widths and depths.
        val_mae: Its mean absolute error on the validation split, label units.
        params: Its parameters.
        macs: Its multiply-adds at the run's resolution.
        bytes: The size of its weights.
    """

    architecture: Architecture
    val_mae: float
    params: int
    macs: int
    bytes: int

    def losses(self, objectives: Sequence[str]) -> list[float]:
        """Return the named quantities, all minimised."""
        return [float(getattr(self, name)) for name in objectives]


def write_scored(folder: Path, slices: Iterable[ScoredSlice], unit: str) -> None:
    """Write the scored slices of a run, in the order in which they were proposed.

    Raises:
        OSError: The file cannot be written; the one that was there stays.
    """
    frame = pd.DataFrame(
        {
            "widths": list(scored.architecture.widths),
            "depths": list(scored.architecture.depths),
            f"val_mae_{unit}": scored.val_mae,
            "params": scored.params,
            "macs": scored.macs,
            "bytes": scored.bytes,
        }
        for scored in slices
    )
    with atomic_path(folder / SCORED, durable=True) as temporary:
        frame.to_parquet(temporary, index=False)


def read_scored(folder: Path, unit: str, space: Container[Architecture]) -> list[ScoredSlice]:
    """Read the scored slices of a run; none where it has no such file.

    Args:
        folder: The run folder.
        unit: The unit of the errors, "years" or "points".
        space: The architectures of the search.

    Raises:
        RequestError: The file is damaged, or has an architecture that is none of the search.
    """
    try:
        slices = read_slices(folder / SCORED, unit)
        for scored in slices:
            if scored.architecture not in space:
                raise FileContentError(f"{scored.architecture} is no network of the search"[:200])
        return slices
    except FileNotFoundError:
        return []
    except FileContentError as error:
        raise RequestError(
            f"{folder / SCORED} cannot be read ({str(error)[:200]}); delete it, and the slices are scored again"
        ) from None


def read_slices(path: Path, unit: str) -> list[ScoredSlice]:
    """Read a table of scored slices, which somebody else may have written.

    Raises:
        FileNotFoundError: There is no such file.
        FileContentError: It is damaged, or describes no slices.
    """
    frame = read_table(path)
    if len(frame) > MOST_SLICES:
        raise FileContentError(f"it has {len(frame):,} rows, over the limit of {MOST_SLICES:,}")
    error = f"val_mae_{unit}"
    check_table(frame, {"widths": _WIDTHS, "depths": _DEPTHS, error: _ERROR, **_COSTS})
    errors = frame[error].to_numpy(dtype=float, na_value=math.nan).tolist()
    cells = (frame[name].tolist() for name in ("widths", "depths", *_COSTS))
    return [
        ScoredSlice(_architecture(widths, depths), val_mae, int(params), int(macs), int(size))
        for val_mae, widths, depths, params, macs, size in zip(errors, *cells, strict=True)
    ]


def _architecture(widths: Sequence[int], depths: Sequence[int]) -> Architecture:
    if {len(widths), len(depths)} != {STAGES}:
        raise FileContentError(
            f"a slice has {len(widths)} widths and {len(depths)} depths, not {STAGES} of each"
        )
    return Architecture(tuple(map(int, widths)), tuple(map(int, depths)))


def scored_front(slices: Sequence[ScoredSlice], objectives: Sequence[str]) -> list[ScoredSlice]:
    """Return the non-dominated slices, by ascending parameters."""
    if not slices:
        return []
    losses = np.array([scored.losses(objectives) for scored in slices])
    members = [scored for scored, is_member in zip(slices, non_dominated(losses), strict=True) if is_member]
    return sorted(members, key=lambda scored: (scored.params, scored.val_mae))


def spread(front: Sequence[ScoredSlice], count: int) -> list[ScoredSlice]:
    """Return ``count`` members of a front, evenly by the logarithm of their parameters, its ends included.

    Args:
        front: By ascending parameters.
        count: At most how many.
    """
    if count >= len(front) or count < 2:
        return list(front[: max(count, 0)])
    sizes = np.log([scored.params for scored in front])
    chosen: dict[int, ScoredSlice] = {}
    for goal in np.linspace(sizes[0], sizes[-1], count):
        order = np.argsort(np.abs(sizes - goal), kind="stable")
        nearest = next(int(position) for position in order if int(position) not in chosen)
        chosen[nearest] = front[nearest]
    return [chosen[position] for position in sorted(chosen)]
