"""The run folder: the contract between a search and its report. ``docs/runs.md`` is its reference.

``run.json`` says what was asked and where; ``trials.parquet`` has a row a trial, ``epochs.parquet``
a row a trial and epoch. Every write replaces the whole file in one step, so that a reader (or a
``kill -9``) never meets half of one. Rows that the tables do not have yet are in ``rows.journal``
(``suite.runs.journal``); ``read_run`` reads both.
"""

import dataclasses
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from suite.errors import RequestError
from suite.runs.journal import Line, Row, RowJournal, Rows, read_journal
from suite.trial import UNIT, Attribute, EpochResult, Metrics, Stage, TrialConfig, TrialResult

#: Raised when a column is renamed, dropped or changes its meaning; new columns do not raise it.
SCHEMA_VERSION = 1

#: The folder in a run's folder with what judged trainings said of single images, a file each.
PREDICTIONS = "predictions"

RunStatus = Literal["running", "interrupted", "finished", "failed"]
Table = Literal["trials", "epochs"]
TABLES: tuple[Table, ...] = ("epochs", "trials")
#: The room of the run folder for the checkpoints of trials under way.
CHECKPOINTS = "checkpoints"
#: The tables of a run in progress are written when the last time lies so many times its own length back, so
#: that a search of thousands of trials spends a fiftieth of its driver's time on them at most.
TIMES_BACK = 50


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
    seconds: float = 0.0  # wall time, all sessions of a resumed run together
    latency: Mapping[str, Any] = field(default_factory=dict)  # how latency was measured
    out_of_bounds: int = 0  # networks that were proposed, or are points of the grid, and not trained for it
    repeats: int = 0  # suggestions of a configuration that had been trained, and not trained again
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


def write_rows(folder: Path, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``trials.parquet`` or ``epochs.parquet``; no rows leave the file as it is."""
    frame = _frame(rows)
    if len(frame):
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
    journal = read_journal(folder)
    if not journal:
        return Run(folder, info, _read_table(folder, "trials"), _read_table(folder, "epochs"))
    rows = _merged(folder, journal)
    return Run(folder, info, _as_read(rows.trials.values()), _as_read(rows.ended_epochs()))


class RunLedger:
    """The rows of a run in progress; every trial that ends is on disk before the next is suggested."""

    def __init__(self, folder: Path) -> None:
        """Go on from what the folder already holds."""
        self.folder = folder
        self._journal = RowJournal(folder)
        self._rows = _merged(folder, read_journal(folder))
        # What a kill left of a trial without a row: it is told again by whoever goes on with the trial.
        self._rows.epochs = {i: epochs for i, epochs in self._rows.epochs.items() if i in self._rows.trials}
        self._not_before = 0.0  # by time.monotonic()

    @property
    def rows(self) -> list[Row]:
        """The rows of ``trials.parquet``, in the order in which the trials ended."""
        return list(self._rows.trials.values())

    @property
    def seconds(self) -> float:
        """How long the search had lasted when this was last written; 0 where nobody wrote it.

        What was made from its trials afterwards took time of its own.
        """
        trainings = (*self.rows_of("search"), *self.rows_of("confirm"))
        ends = (float(row["started"] + row["seconds"]) for row in trainings)
        return max([self._rows.seconds, *ends])

    def has(self, trial_id: str) -> bool:
        """A trial has ended."""
        return trial_id in self._rows.trials

    def epochs_of(self, trial_id: str) -> list[Row]:
        """The rows of ``epochs.parquet`` of a trial, by rising epoch."""
        return self._rows.epochs_of(trial_id)

    def rows_of(self, stage: Stage) -> list[Row]:
        """Those of one stage."""
        return [row for row in self._rows.trials.values() if row["stage"] == stage]

    def begin_trial(self, trial_id: str, before: Iterable[EpochResult], attribute: Attribute) -> None:
        """A trial begins, or goes on after the epochs of ``before``; all else of it is forgotten."""
        self._rows.epochs.pop(trial_id, None)
        for epoch in before:
            self.add_epoch(trial_id, epoch, attribute)

    def add_epoch(self, trial_id: str, result: EpochResult, attribute: Attribute) -> None:
        """Keep an epoch; it is written when its trial ends."""
        self._rows.add("epochs", epoch_row(trial_id, result, attribute))

    def add_trial(self, result: TrialResult) -> None:
        """Write a trial that ended, and its epochs.

        Raises:
            OSError: it cannot be written.
        """
        row = trial_row(result)
        # The trial last: where the journal is torn among its lines, it has not ended.
        lines: list[Line] = [("epochs", epoch) for epoch in self._rows.epochs_of(result.id)]
        self._journal.append([*lines, ("trials", row)])
        self._rows.add("trials", row)
        self._write_now_and_then()

    def amend(self, trial_id: str, columns: Mapping[str, float]) -> None:
        """Fill in columns of a trial that ended: its test metrics, its latency."""
        line: Line = ("amend", {"id": trial_id, **columns})
        self._journal.append([line])
        self._rows.add(*line)
        self._write_now_and_then()

    def note_clock(self, seconds: float) -> None:
        """Write how long the search has lasted; a power cut may lose it, a kill does not."""
        self._rows.add("clock", {"seconds": seconds})
        self._journal.append([("clock", {"seconds": round(seconds, 3)})], to_disk=False)

    def fold(self) -> None:
        """Write the tables, and delete the journal that they make needless.

        Raises:
            OSError: they cannot be written; the journal has it all.
        """
        began = time.monotonic()
        write_rows(self.folder, "epochs", self._rows.ended_epochs())
        write_rows(self.folder, "trials", self.rows)
        self._journal.clear()
        ended = time.monotonic()
        self._not_before = ended + TIMES_BACK * (ended - began)

    def _write_now_and_then(self) -> None:
        if time.monotonic() >= self._not_before:
            self.fold()


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


def _frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([dict(row) for row in rows])
    return frame.astype({c: "Int64" for c in _COUNTS if c in frame}) if len(frame) else frame


def _as_read(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as they would be read from the table that they will be in, which decides the types of columns."""
    frame = _frame(rows)
    if frame.empty:
        return frame
    table = io.BytesIO()
    frame.to_parquet(table, index=False)
    return pd.read_parquet(table)


def _read_table(folder: Path, table: Table) -> pd.DataFrame:
    path = folder / f"{table}.parquet"
    return pd.read_parquet(path) if path.exists() else pd.DataFrame()


def _merged(folder: Path, journal: Iterable[Line]) -> Rows:
    """The rows of the tables and, over them, those of a journal that was read before."""
    rows = Rows()
    for table in TABLES:
        for record in _read_table(folder, table).to_dict("records"):
            rows.add(table, {str(column): _plain(cell) for column, cell in record.items()})
    for kind, row in journal:
        rows.add(kind, row)
    return rows


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path`` and move into its place, so that no reader meets half a file."""
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # where the disk is full, it takes the room of what may yet be saved
        raise
