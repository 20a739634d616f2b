"""The points of a run that trained each with several seeds: their errors and paired differences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from reports.model.cells import number, rows_of
from reports.model.over_people import SeedErrors, difference_of, interval_of
from reports.model.trials import DEPTHS, NAMES, THIN_WIDTHS, TINY_WIDTHS
from suite.runs.columns import METRICS, METRICS_IN_UNITS
from suite.runs.image_errors import read_by_seed
from suite.runs.info import RunInfo
from suite.runs.tables import Run, config_of
from suite.statistics.paired import Difference, Interval
from suite.trial import TrialConfig

#: The baseline of a comparison, by the fields that varied: the first of these that was trained. It is fixed in
#: advance, since the best point of a run is partly the best by chance. Networks are compared with the large one
#: that the paper's replace, weights of the L1 term with none, everything else with the paper's choice.
BASELINES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("network",): ("VGG-16", "VGG-16 with batch norm", "TinyAgeNet"),
    ("method",): ("dldl-v2",),
    ("lambda_l1",): ("lambda_l1 0",),
    ("label_step", "label_deviation"): ("label_step 1, label_deviation 2",),
    ("pooling",): ("pooling hybrid",),
}

#: Keys of published.yaml, by the names that a report uses.
PUBLISHED_KEYS = {
    "VGG-16": "vgg16",
    "VGG-16 with batch norm": "vgg16",
    "ResNet-50": "resnet50",
    "ThinAgeNet": "thin",
    "TinyAgeNet": "tiny",
}


@dataclass(frozen=True)
class Point:
    """Trainings that differ only in their seed.

    ``errors`` has the validation MAE by seed, in the run's unit, of those that finished; ``lost`` counts
    those that ended otherwise. ``measured`` has all metrics of both splits, by column of ``trials.parquet``
    and then by seed; a metric that no training has is left out. ``ids`` has the trainings of the errors by seed, and
    ``folder`` is the run's, which may keep their predictions.
    """

    label: str
    config: TrialConfig  # of its first training; the others differ in their seed alone
    number: float  # what varied, where that is one field of numbers; else NaN
    network: str
    method: str
    errors: Mapping[int, float]
    measured: Mapping[str, Mapping[int, float]]
    lost: int
    params: float  # NaN where no training came to be profiled
    macs_at_224: float
    ids: Mapping[int, str] = field(default_factory=dict)
    folder: Path | None = None

    @cached_property
    def seed_errors(self) -> SeedErrors:
        """The validation errors by seed and, where the run keeps predictions of several trainings, by image."""
        by_image = read_by_seed(self.folder, self.ids, "val") if self.folder and len(self.ids) > 1 else None
        return SeedErrors(self.label, self.errors, by_image)

    @cached_property
    def interval(self) -> Interval:
        """Mean of the errors, of which there must be one, with its 95 % interval."""
        return interval_of(self.seed_errors)

    @property
    def mean(self) -> float:
        """Mean of the errors, of which there must be one."""
        return fmean(self.errors.values())


@dataclass(frozen=True)
class Comparison:
    """The points by rising mean error, those without one last, and their paired differences.

    ``differences`` are to ``baseline``; empty where fewer than two points have an error. A point that has
    no seed in common with the baseline is in none of them.
    """

    varied: tuple[str, ...]
    seeds: int
    points: tuple[Point, ...]
    baseline: str
    differences: Mapping[str, Difference]

    @property
    def baseline_is_the_best(self) -> bool:
        """Whether the baseline was chosen by the errors that are compared."""
        return self.baseline not in BASELINES.get(self.varied, ())


def seeds_of(info: RunInfo) -> int:
    """Return how many seeds the run trains each point with."""
    return int(info.search.get("seeds") or 1)


def labels(run: Run) -> dict[str, str]:
    """Return the label of each trial's point, by the trial's id; empty if each point was trained once."""
    if seeds_of(run.info) < 2:
        return {}
    return {str(row["id"]): _label(config_of(row), _varied(run.info)) for row in rows_of(run, "search")}


def compare(run: Run) -> Comparison | None:
    """Compare the points of a run; None if each point was trained once."""
    seeds, varied = seeds_of(run.info), _varied(run.info)
    if seeds < 2:
        return None
    members: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows_of(run, "search"):
        members.setdefault(_label(config_of(row), varied), []).append(row)
    points = [_point(label, rows, varied, run) for label, rows in members.items()]
    points.sort(key=lambda point: (not point.errors, point.mean if point.errors else 0.0))
    baseline = _baseline(points, varied)
    return Comparison(varied, seeds, tuple(points), baseline, _differences(points, baseline))


def _baseline(points: list[Point], varied: tuple[str, ...]) -> str:
    trained = [point.label for point in points if point.errors]
    known = [label for label in BASELINES.get(varied, ()) if label in trained]
    return next(iter([*known, *trained]), "")


def _differences(points: list[Point], baseline: str) -> dict[str, Difference]:
    first = next((point for point in points if point.label == baseline), None)
    if first is None:
        return {}
    others = [p for p in points if p is not first and p.errors.keys() & first.errors.keys()]
    return {point.label: difference_between(first, point, len(others)) for point in others}


def difference_between(first: Point, second: Point, comparisons: int) -> Difference:
    """Return the paired difference of two points, second minus first, as one of so many that hold together.

    Raises:
        ValueError: They have no seed in common.
    """
    return difference_of(first.seed_errors, second.seed_errors, comparisons=comparisons)


def _point(label: str, rows: Sequence[Mapping[str, Any]], varied: tuple[str, ...], run: Run) -> Point:
    config, error_column = config_of(rows[0]), run.info.error_column
    finished = [row for row in rows if row["status"] == "finished" and math.isfinite(row[error_column])]
    return Point(
        label=label,
        config=config,
        number=_number(config, varied),
        network=_network(config),
        method=config.method,
        errors={int(row["seed"]): float(row[error_column]) for row in finished},
        measured=_measured(finished, run.info.unit),
        lost=len(rows) - len(finished),
        params=_known(rows, "params"),
        macs_at_224=_known(rows, "macs_at_224"),
        ids={int(row["seed"]): str(row["id"]) for row in finished},
        folder=run.folder,
    )


def _measured(finished: Sequence[Mapping[str, Any]], unit: str) -> dict[str, dict[int, float]]:
    columns = [
        f"{split}_{metric}" + (f"_{unit}" if metric in METRICS_IN_UNITS else "")
        for split in ("val", "test")
        for metric in METRICS
    ]
    found = {c: {int(row["seed"]): number(row, c) for row in finished} for c in columns}
    known = {c: {seed: v for seed, v in by_seed.items() if math.isfinite(v)} for c, by_seed in found.items()}
    return {column: by_seed for column, by_seed in known.items() if by_seed}


def _number(config: TrialConfig, varied: tuple[str, ...]) -> float:
    value = getattr(config, varied[0], None) if len(varied) == 1 else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _known(rows: Sequence[Mapping[str, Any]], column: str) -> float:
    """Return a count that is the same in all rows that have it."""
    return next((float(row[column]) for row in rows if not pd.isna(row[column])), math.nan)


def _varied(info: RunInfo) -> tuple[str, ...]:
    return tuple(str(field) for field in info.search.get("vary") or {})


def _label(config: TrialConfig, varied: tuple[str, ...]) -> str:
    return ", ".join(_words(config, field) for field in varied)


def _words(config: TrialConfig, field: str) -> str:
    value = getattr(config, field, None)
    if field == "network":
        return _network(config)
    if field == "method":
        return config.method
    if value is None:
        return f"{field} {'by the data' if field == 'label_deviation' else 'none'}"
    return f"{field} {_plain(value)}"


def _plain(value: object) -> str:
    """Format floats in full, so that no two values look alike; 2.0 is "2"."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _network(config: TrialConfig) -> str:
    if config.network != "compact":
        return NAMES.get(config.network, config.network)
    if config.depths == DEPTHS and config.pooling == "hybrid":
        named = {TINY_WIDTHS: "TinyAgeNet", THIN_WIDTHS: "ThinAgeNet"}
        if config.widths in named:
            return named[config.widths]
    return f"widths {_plain(config.widths)}, depths {_plain(config.depths)}"
