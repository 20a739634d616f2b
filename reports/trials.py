"""The trials of a run as the report needs them: typed rows, and which of them make the front."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reports.front import knee, non_dominated
from suite.runs import ReferenceNetwork, Run, RunInfo

#: TinyAgeNet's stages (paper, network architecture); ThinAgeNet has twice its widths.
TINY_WIDTHS = (16, 32, 64, 128, 128)
THIN_WIDTHS = (32, 64, 128, 256, 256)
DEPTHS = (2, 2, 3, 3, 3)


@dataclass(frozen=True)
class Spread:
    """A measured ratio with the ends of its spread; NaN where it was not measured."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Trial:
    """One row of ``trials.parquet``; numbers are NaN where there are none yet.

    ``val_mae`` and ``test_mae`` are in the run's unit; sizes are exact counts; ``macs`` and
    ``speedup`` are at the run's resolution, ``..._at_224`` at 224 pixels.
    """

    id: str
    status: str
    cause: str
    network: str
    pooling: str
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    lambda_l1: float
    label_deviation: float
    learning_rate: float
    params: float
    macs: float
    macs_at_224: float
    bytes: float
    val_mae: float
    test_mae: float
    latency_ms: float
    latency_ms_at_224: float
    speedup: Spread
    speedup_at_224: Spread
    epochs_run: int
    seconds: float
    trials_known: float
    seed: int
    on_front: bool = False

    @property
    def finished(self) -> bool:
        """Whether the trial trained to its end and has a validation error."""
        return self.status == "finished" and math.isfinite(self.val_mae)

    @property
    def is_tiny(self) -> bool:
        """Whether its network is TinyAgeNet's architecture."""
        return self._is_compact(TINY_WIDTHS)

    @property
    def is_thin(self) -> bool:
        """Whether its network is ThinAgeNet's architecture."""
        return self._is_compact(THIN_WIDTHS)

    def _is_compact(self, widths: tuple[int, ...]) -> bool:
        return self.network == "compact" and self.widths == widths and self.depths == DEPTHS


@dataclass(frozen=True)
class Standing:
    """How the trials of a run stand to each other.

    ``trials`` holds the front first, by size, then the others by validation error, then those
    without one. ``knee`` is None where the front has fewer than three members.
    """

    trials: tuple[Trial, ...]
    front: tuple[Trial, ...]
    best: Trial | None
    knee: Trial | None
    smallest: Trial | None

    def count(self, status: str) -> int:
        """How many trials ended so: finished, diverged or failed."""
        return sum(trial.status == status for trial in self.trials)


def standing(run: Run) -> Standing:
    """Read the trials of a run and find its front over the run's own objectives, among finished trials."""
    columns = [run.info.error_column if name == "val_mae" else name for name in run.info.objectives]
    rows: list[dict[str, Any]] = run.trials.to_dict("records")  # type: ignore[assignment]
    losses = np.array([[_number(row, column) for column in columns] for row in rows])
    losses = losses.reshape(len(rows), len(columns))
    trials = [_trial(row, run.info) for row in rows]
    losses[[not trial.finished for trial in trials]] = np.nan
    on_front = non_dominated(losses)
    trials = [replace(trial, on_front=bool(member)) for trial, member in zip(trials, on_front, strict=True)]
    front = sorted((trial for trial in trials if trial.on_front), key=lambda t: (t.params, t.val_mae))
    return Standing(
        trials=tuple(sorted(trials, key=_reading_order)),
        front=tuple(front),
        best=min(front, key=lambda t: t.val_mae, default=None),
        knee=trials[knee(losses)] if len(front) > 2 else None,
        smallest=front[0] if front else None,
    )


def reference(info: RunInfo, key: str) -> ReferenceNetwork | None:
    """The exactly counted network that ``published.yaml`` calls vgg16, thin or tiny."""
    for network in info.references:
        if "".join(filter(str.isalnum, network.name.lower())).startswith(key):
            return network
    return None


def _reading_order(trial: Trial) -> tuple[bool, bool, float]:
    return (not trial.on_front, not trial.finished, _last(trial.params if trial.on_front else trial.val_mae))


def _last(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _trial(row: Mapping[str, Any], info: RunInfo) -> Trial:
    return Trial(
        id=str(row["id"]),
        status=str(row["status"]),
        cause=str(row["cause"] or ""),
        network=str(row["network"]),
        pooling=str(row["pooling"]),
        widths=tuple(int(width) for width in row["widths"]),
        depths=tuple(int(depth) for depth in row["depths"]),
        lambda_l1=_number(row, "lambda_l1"),
        label_deviation=_number(row, "label_deviation"),
        learning_rate=_number(row, "learning_rate"),
        params=_number(row, "params"),
        macs=_number(row, "macs"),
        macs_at_224=_number(row, "macs_at_224"),
        bytes=_number(row, "bytes"),
        val_mae=_number(row, info.error_column),
        test_mae=_number(row, f"test_mae_{info.unit}"),
        latency_ms=_number(row, "latency_ms_per_image"),
        latency_ms_at_224=_number(row, "latency_ms_per_image_at_224"),
        speedup=_spread(row, "speedup_vs_vgg16"),
        speedup_at_224=_spread(row, "speedup_vs_vgg16_at_224"),
        epochs_run=int(row["epochs_run"]),
        seconds=_number(row, "seconds"),
        trials_known=_number(row, "trials_known"),
        seed=int(row["seed"]),
    )


def _spread(row: Mapping[str, Any], column: str) -> Spread:
    return Spread(_number(row, column), _number(row, f"{column}_low"), _number(row, f"{column}_high"))


def _number(row: Mapping[str, Any], column: str) -> float:
    """A cell as float; pandas has four ways to say that there is none (NA, NaN, None, no column)."""
    value = row.get(column)
    try:
        return float(value)  # type: ignore[arg-type]
    except TypeError:
        return math.nan
