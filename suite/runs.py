"""The run folder: the contract between a search and its report. ``docs/runs.md`` is its reference.

``run.json`` says what was asked and where; ``trials.parquet`` has a row a trial, ``epochs.parquet``
a row a trial and epoch. Every write replaces the whole file in one step, so that a reader (or a
``kill -9``) never meets half of one.
"""

import dataclasses
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from suite.errors import RequestError
from suite.trial import UNIT, Attribute, EpochResult, Metrics, Stage, TrialConfig, TrialResult

#: Raised when a column is renamed, dropped or changes its meaning; new columns do not raise it.
SCHEMA_VERSION = 1

#: The folder in a run's folder with what judged trainings said of single images, a file each.
PREDICTIONS = "predictions"

RunStatus = Literal["running", "interrupted", "finished", "failed"]


@dataclass(frozen=True)
class DataUsed:
    """The data set of a run, as its report names it."""

    name: str
    folder: str
    fingerprint: str
    side: int  # pixels of the stored images
    train_images: int  # used by each trial, after `train_images` of the search space
    train_images_stored: int
    val_images: int
    test_images: int
    origin: str
    protocol: str
    skipped: int
    #: Validation MAE of the best constant (the median of the training labels), in label units.
    constant_val_mae: float


@dataclass(frozen=True)
class ReferenceNetwork:
    """An exact size to compare with: counted here, never trained in this run."""

    name: str
    params: int
    macs: int  # at the run's resolution
    macs_at_224: int
    bytes: int


@dataclass(frozen=True)
class Resources:
    """Share of a machine that a trial was to have, and how many trials at once, as asked for."""

    cpus_per_trial: float = 1.0
    gpus_per_trial: float | None = None  # None: a quarter where the cluster has GPUs
    max_concurrent: int | None = None  # None: as many as the cluster holds
    address: str | None = None  # of a running Ray cluster; None or "local": one of this machine alone

    @property
    def of_this_machine(self) -> bool:
        """No running cluster is asked for."""
        return self.address in (None, "local")


@dataclass(frozen=True)
class RunInfo:
    """``run.json``."""

    name: str
    status: RunStatus
    command: Sequence[str]
    search: Mapping[str, Any]  # the search space as resolved: defaults, --set and --data applied
    search_file: str
    attribute: Attribute
    resolution: int  # pixels a side at which the trials train
    objectives: Sequence[str]
    trials_asked: int
    seed: int
    max_concurrent: int
    data: DataUsed
    references: Sequence[ReferenceNetwork]
    versions: Mapping[str, str]
    git_revision: str  # empty where the suite does not run from a git checkout
    hardware: Mapping[str, Any]
    started: str  # ISO 8601 with the time zone
    resources: Resources = Resources()
    ended: str = ""  # empty while it runs
    seconds: float = 0.0  # wall time, all sittings of a resumed run together
    latency: Mapping[str, Any] = field(default_factory=dict)  # how latency was measured
    out_of_bounds: int = 0  # networks that were proposed, or are points of the grid, and not trained for it
    ended_early: str = ""  # why the search has fewer trials than were asked for, where it gave up
    schema_version: int = SCHEMA_VERSION

    @property
    def unit(self) -> str:
        """Unit of the mean absolute error: "years" or "points"."""
        return UNIT[self.attribute]

    @property
    def error_column(self) -> str:
        """The column of ``trials.parquet`` that the front is made of: ``val_mae_years``."""
        return f"val_mae_{self.unit}"


@dataclass(frozen=True)
class Run:
    """A run folder, read."""

    folder: Path
    info: RunInfo
    trials: pd.DataFrame
    epochs: pd.DataFrame


def metric_columns(metrics: Metrics | None, split: str, unit: str) -> dict[str, float]:
    """Metrics of a split under their column names; NaN where there are none."""
    values = dataclasses.asdict(metrics) if metrics else {}
    in_units = {"mae", "rmse"}
    return {
        f"{split}_{f.name}" + (f"_{unit}" if f.name in in_units else ""): _number(values.get(f.name))
        for f in dataclasses.fields(Metrics)
    }


def trial_row(result: TrialResult) -> dict[str, Any]:
    """One row of ``trials.parquet`` as the search leaves it; test and latency are still unknown."""
    unit = UNIT[result.config.attribute]
    profile = result.profile
    return {
        "id": result.id,
        "stage": result.stage,
        "status": result.status,
        "cause": result.cause,
        "parent": result.parent,
        **result.config.to_json(),
        "params": profile.params if profile else None,
        "macs": profile.macs if profile else None,
        "macs_at_224": profile.macs_at_224 if profile else None,
        "bytes": profile.bytes if profile else None,
        **metric_columns(result.validation, "val", unit),
        **metric_columns(None, "test", unit),
        "latency_ms_per_image": math.nan,
        "speedup_vs_vgg16": math.nan,
        "speedup_vs_vgg16_low": math.nan,
        "speedup_vs_vgg16_high": math.nan,
        "latency_ms_per_image_at_224": math.nan,
        "speedup_vs_vgg16_at_224": math.nan,
        "speedup_vs_vgg16_at_224_low": math.nan,
        "speedup_vs_vgg16_at_224_high": math.nan,
        "epochs_run": result.epochs_run,
        "seconds": result.seconds,
        "precision": result.precision if result.precision else result.config.precision,
        "trials_known": result.trials_known,
        "started": result.started,
    }


def epoch_row(trial_id: str, result: EpochResult, attribute: Attribute) -> dict[str, Any]:
    """One row of ``epochs.parquet``."""
    unit = UNIT[attribute]
    return {
        "id": trial_id,
        "epoch": result.epoch,
        "train_loss": result.train_loss,
        "train_kl": result.train_kl,
        f"train_l1_{unit}": result.train_l1,
        "learning_rate": result.learning_rate,
        "seconds": result.seconds,
        "images_per_second": result.images_per_second,
        **metric_columns(result.validation, "val", unit),
    }


def write_info(folder: Path, info: RunInfo) -> None:
    """Write ``run.json``."""
    text = json.dumps(dataclasses.asdict(info), indent=2) + "\n"
    _replace(folder / "run.json", lambda partial: partial.write_text(text, encoding="utf-8"))


def write_rows(folder: Path, table: Literal["trials", "epochs"], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``trials.parquet`` or ``epochs.parquet``; no rows leave the file as it is."""
    frame = pd.DataFrame([dict(row) for row in rows])
    if len(frame):
        frame = frame.astype({c: "Int64" for c in _COUNTS if c in frame})
        _replace(folder / f"{table}.parquet", lambda partial: frame.to_parquet(partial, index=False))


def write_prediction_rows(folder: Path, trial_id: str, rows: pd.DataFrame) -> None:
    """Write ``predictions/ID.parquet`` of a judged training."""
    (folder / PREDICTIONS).mkdir(exist_ok=True)
    target = folder / PREDICTIONS / f"{trial_id}.parquet"
    _replace(target, lambda partial: rows.to_parquet(partial, index=False))


def read_run(folder: Path) -> Run:
    """Read a run folder, finished or not.

    Raises:
        RequestError: the folder is no run of this schema version.
    """
    try:
        fields: Any = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fields = None
    if not isinstance(fields, dict):
        raise RequestError(
            f"{folder} is no run folder (no readable run.json); 'suite run' makes one under runs/"
        )
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise RequestError(
            f"{folder}/run.json has schema version {fields.get('schema_version')}, this suite reads "
            f"{SCHEMA_VERSION}; read it with the version of suite that its 'versions' names"
        )
    try:
        fields["data"] = DataUsed(**fields["data"])
        fields["references"] = [ReferenceNetwork(**reference) for reference in fields["references"]]
        fields["resources"] = Resources(**fields.get("resources", {}))  # a run of an earlier version has none
        info = RunInfo(**fields)
    except (KeyError, TypeError) as error:
        raise RequestError(
            f"{folder}/run.json is not whole ({error}); take it from a backup, or run the search again"
        ) from None
    tables = {name: folder / f"{name}.parquet" for name in ("trials", "epochs")}
    trials, epochs = (pd.read_parquet(path) if path.exists() else pd.DataFrame() for path in tables.values())
    return Run(folder, info, trials, epochs)


class RunLedger:
    """The rows of a run in progress; every trial that ends is on disk before the next is suggested."""

    def __init__(self, folder: Path) -> None:
        """Go on from what the folder already holds."""
        self.folder = folder
        self._trials = _rows_by_id(folder / "trials.parquet")
        self._epochs: dict[str, list[dict[str, Any]]] = {}
        for row in _rows(folder / "epochs.parquet"):
            if row["id"] in self._trials:  # else a kill left them without a trial
                self._epochs.setdefault(row["id"], []).append(row)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of ``trials.parquet``, in the order in which the trials ended."""
        return list(self._trials.values())

    def epochs_of(self, trial_id: str) -> list[dict[str, Any]]:
        """The rows of ``epochs.parquet`` of a trial, in the order in which its epochs ended."""
        return list(self._epochs.get(trial_id, []))

    def rows_of(self, stage: Stage) -> list[dict[str, Any]]:
        """Those of one stage."""
        return [row for row in self._trials.values() if row["stage"] == stage]

    def add_epoch(self, trial_id: str, result: EpochResult, attribute: Attribute) -> None:
        """Keep an epoch; it is written when its trial ends."""
        self._epochs.setdefault(trial_id, []).append(epoch_row(trial_id, result, attribute))

    def add_trial(self, result: TrialResult) -> None:
        """Write a trial that ended, and its epochs."""
        self._trials[result.id] = trial_row(result)
        ended = [row for trial_id in self._trials for row in self._epochs.get(trial_id, [])]
        write_rows(self.folder, "epochs", ended)
        write_rows(self.folder, "trials", self.rows)

    def amend(self, trial_id: str, columns: Mapping[str, float]) -> None:
        """Fill in columns of a trial that ended: its test metrics, its latency."""
        self._trials[trial_id] |= columns
        write_rows(self.folder, "trials", self.rows)


def config_of(row: Mapping[str, Any]) -> TrialConfig:
    """The configuration of a row of ``trials.parquet``."""
    # A run of an earlier version has no column for a field that came later: its default then held.
    values = {f.name: row[f.name] for f in dataclasses.fields(TrialConfig) if f.name in row}
    return TrialConfig.from_json({name: _plain(value) for name, value in values.items()})


_COUNTS = ("params", "macs", "macs_at_224", "bytes", "train_images")


def _plain(value: Any) -> Any:
    """A cell of a data frame as the Python type that went in."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    records = pd.read_parquet(path).to_dict("records")
    return [{str(column): _plain(cell) for column, cell in record.items()} for record in records]


def _rows_by_id(path: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in _rows(path)}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path`` and move into its place, so that no reader meets half a file."""
    partial = path.with_name(path.name + ".partial")
    write(partial)
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)
