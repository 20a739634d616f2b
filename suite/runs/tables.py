"""The tables of a run folder. ``docs/runs.md`` is their reference.

``trials.parquet`` has one row per trial, ``epochs.parquet`` one row per trial and epoch. Every write replaces the whole
file in one step, so that no reader sees half a table, even after ``kill -9``. Rows that the tables do not have yet are
in ``rows.journal`` (``suite.runs.journal``); ``read_run`` reads both.
"""

import dataclasses
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from suite.errors import RequestError
from suite.files.atomic import atomic_path
from suite.files.reading import FileContentError, read_table
from suite.runs.columns import (
    METRICS,
    METRICS_IN_UNITS,
    PREDICTION_COLUMNS,
    TIMES,
    WORST_GROUP,
    WORST_GROUP_PEOPLE,
    check_lineage,
    check_parent,
    check_row,
    check_table,
    check_trial_row,
    check_trials,
    default_cells,
    epoch_columns,
)
from suite.runs.info import RunInfo, read_info
from suite.runs.journal import JOURNAL, Line, Rows, read_journal
from suite.runs.layout import PREDICTIONS
from suite.trial import UNIT, Attribute, EpochResult, Metrics, TrialConfig, TrialResult
from suite.trial_reading import read_config

Table = Literal["trials", "epochs"]
TABLES: tuple[Table, ...] = ("epochs", "trials")


@dataclass(frozen=True)
class Run:
    """A run folder in memory.

    Attributes:
        folder: The run folder.
        info: The content of ``run.json``.
        trials: One row per trial that has ended.
        epochs: One row per epoch of these trials.
    """

    folder: Path
    info: RunInfo
    trials: pd.DataFrame
    epochs: pd.DataFrame


def metric_columns(metrics: Metrics | None, split: str, unit: str) -> dict[str, float | str | None]:
    """Return the metrics of a split by column name.

    Args:
        metrics: The metrics; None makes all values NaN, and the name of the worst group None.
        split: The prefix of the columns: "val" or "test".
        unit: The unit of the errors, "years" or "points", which ends their column names.
    """
    columns: dict[str, float | str | None] = {
        f"{split}_{name}" + (f"_{unit}" if name in METRICS_IN_UNITS else ""): _number(
            getattr(metrics, name, None)
        )
        for name in METRICS
    }
    worst = None if metrics is None else metrics.worst_group
    columns[f"{split}_{WORST_GROUP}"] = None if worst is None else worst.name
    columns[f"{split}_{WORST_GROUP_PEOPLE}"] = math.nan if worst is None else float(worst.people)
    return columns


def trial_row(result: TrialResult) -> dict[str, Any]:
    """Return a row of ``trials.parquet`` as the search leaves it, with NaN for test metrics and latency."""
    unit = UNIT[result.config.attribute]
    profile = result.profile
    return {
        "id": result.id,
        "stage": result.stage,
        "status": result.status,
        "cause": result.cause,
        "parent": result.parent,
        "slice_of": result.slice_of,
        **result.config.to_json(),
        "params": profile.params if profile else None,
        "macs": profile.macs if profile else None,
        "macs_at_224": profile.macs_at_224 if profile else None,
        "bytes": profile.bytes if profile else None,
        **metric_columns(result.validation, "val", unit),
        **metric_columns(None, "test", unit),
        **dict.fromkeys(TIMES, math.nan),
        "epochs_run": result.epochs_run,
        "seconds": result.seconds,
        "precision": result.precision if result.precision else result.config.precision,
        "trials_known": result.trials_known,
        "started": result.started,
    }


def epoch_row(trial_id: str, result: EpochResult, attribute: Attribute) -> dict[str, Any]:
    """Return a row of ``epochs.parquet``."""
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


def write_rows(folder: Path, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``trials.parquet`` or ``epochs.parquet``; without rows, the file stays as it is.

    Raises:
        OSError: The file cannot be written; the one that was there stays.
    """
    frame = _frame(rows)
    if len(frame):
        with atomic_path(folder / f"{table}.parquet", durable=True) as temporary:
            frame.to_parquet(temporary, index=False)


def write_prediction_rows(folder: Path, trial_id: str, rows: pd.DataFrame) -> None:
    """Write ``predictions/ID.parquet`` of a tested training.

    Raises:
        OSError: The file cannot be written.
    """
    (folder / PREDICTIONS).mkdir(exist_ok=True)
    target = folder / PREDICTIONS / f"{trial_id}.parquet"
    with atomic_path(target, durable=True) as temporary:
        rows.to_parquet(temporary, index=False)


def read_run(folder: Path) -> Run:
    """Read a run folder, whether the run has finished or not.

    A column of ``trials.parquet`` that the run is older than has its defaults (``default_cells``).

    Raises:
        RequestError: The folder holds no run, a run of another schema version, or a file that is damaged.
    """
    info = read_info(folder)
    journal = read_lines(folder)
    if not journal:
        run = Run(folder, info, _read_table(folder, "trials"), _read_table(folder, "epochs"))
    else:
        rows = merge_tables(folder, journal)
        run = Run(folder, info, _as_read(rows.trials.values()), _as_read(rows.ended_epochs()))
    for name, table in (("trials", run.trials), ("epochs", run.epochs)):
        if len(table) and info.error_column not in table:
            raise _damaged(folder / f"{name}.parquet", f"the column {info.error_column!r} is missing")
    return dataclasses.replace(run, trials=_complete(run.trials))


def _complete(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the columns that they were written without."""
    if trials.empty:
        return trials
    cells: dict[str, Any] = {}
    for attribute in trials["attribute"].unique():
        cells |= default_cells(attribute)
    rows = len(trials)
    missing = {
        name: pd.Series([cell] * rows, index=trials.index, dtype=object if cell is None else None)
        for name, cell in cells.items()
        if name not in trials
    }
    return pd.concat([trials, pd.DataFrame(missing)], axis="columns") if missing else trials


def read_lines(folder: Path) -> list[Line]:
    """Read the lines of a run's journal, and check their cells as those of the tables.

    Raises:
        RequestError: The journal is damaged.
    """
    try:
        lines = read_journal(folder)
        _check_rows(lines)
    except FileContentError as error:
        raise _damaged(folder / JOURNAL, str(error)) from None
    return lines


def _check_rows(lines: Iterable[Line]) -> None:
    for kind, row in lines:
        if kind == "epochs":
            check_row(row, epoch_columns())
        elif kind != "clock":
            check_trial_row(row, part=kind == "amend")


def merge_tables(folder: Path, journal: Iterable[Line]) -> Rows:
    """Return the rows of the tables, updated by the lines of a journal.

    A row of a trial has all columns, as in ``read_run``.

    The journal must be read before the tables: in between, rows may move from it to them.

    Raises:
        RequestError: A table is damaged.
    """
    rows = Rows()
    for table in TABLES:
        for record in _read_table(folder, table).to_dict("records"):
            rows.add(table, {str(column): _plain(cell) for column, cell in record.items()})
    for kind, row in journal:
        rows.add(kind, row)
    for trial_id, row in rows.trials.items():
        missing = {name: _plain(c) for name, c in default_cells(row["attribute"]).items() if name not in row}
        rows.trials[trial_id] = {**row, **missing}
    _check_together(folder, rows)
    return rows


def _check_together(folder: Path, rows: Rows) -> None:
    try:
        for row in rows.trials.values():
            check_parent(row["stage"], row.get("parent"))
        check_lineage({i: str(row["parent"]) for i, row in rows.trials.items() if row.get("parent")})
    except FileContentError as error:
        raise _damaged(folder / JOURNAL, str(error)) from None


def read_predictions(folder: Path, trial_id: str) -> pd.DataFrame | None:
    """Read ``predictions/ID.parquet``; None where the run has none of this training.

    Raises:
        RequestError: The file is damaged.
    """
    path = folder / PREDICTIONS / f"{trial_id}.parquet"
    try:
        table = read_table(path)
        check_table(table, PREDICTION_COLUMNS)
    except FileNotFoundError:
        return None
    except FileContentError as error:
        raise _damaged(path, str(error)) from None
    return table


def config_of(row: Mapping[str, Any]) -> TrialConfig:
    """Return the configuration of a row of ``trials.parquet``.

    A field without a column, or with an empty cell, has its default: it was added after the row.

    Raises:
        RequestError: A cell has another type than its field, or is out of range.
    """
    cells = {
        f.name: _as_field(_plain(row[f.name]), f.type)
        for f in dataclasses.fields(TrialConfig)
        if f.name in row
    }
    try:
        known = {name: value for name, value in cells.items() if value is not None}
        return read_config(known, trained=row.get("status") == "finished")
    except FileContentError as error:
        raise RequestError(
            f"the row {str(row.get('id'))[:40]!r} of trials.parquet describes no trial ({error}); restore the table "
            "from a copy"
        ) from None


def _as_field(value: Any, kind: object) -> Any:
    """Return a whole number of a column that has empty cells, and so holds floats, as a whole number."""
    is_whole = isinstance(value, float) and value.is_integer() and kind in (int, int | None)
    return int(value) if is_whole else value


_COUNTS = ("params", "macs", "macs_at_224", "bytes", "train_images")


def _plain(value: Any) -> Any:
    """Return a cell of a data frame as the Python type that was written."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def _frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([dict(row) for row in rows])
    return frame.astype({c: "Int64" for c in _COUNTS if c in frame}) if len(frame) else frame


def _as_read(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as they would be read from their table, so that the types of the columns are the same."""
    frame = _frame(rows)
    if frame.empty:
        return frame
    table = io.BytesIO()
    frame.to_parquet(table, index=False)
    return pd.read_parquet(table)


def _read_table(folder: Path, table: Table) -> pd.DataFrame:
    path = folder / f"{table}.parquet"
    try:
        frame = read_table(path)
        if table == "trials":
            check_trials(frame)
        else:
            check_table(frame, epoch_columns())
    except FileNotFoundError:
        return pd.DataFrame()
    except FileContentError as error:
        raise _damaged(path, str(error)) from None
    return frame


def _damaged(path: Path, reason: str) -> RequestError:
    return RequestError(
        f"{path} cannot be used ({reason[:200]}); restore it from a backup, or run the search again"
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
