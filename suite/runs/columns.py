"""What the columns of a run's tables hold, and the check of a table that somebody else may have written.

The columns of a configuration follow from the types and ranges of ``TrialConfig``. An id names files in the run
folder, so it is a plain word and never a path.
"""

import dataclasses
import math
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from suite.files.reading import LARGEST_INTEGER, FileContentError
from suite.trial import UNIT, Attribute, Stage, Status, TrialConfig
from suite.trial_reading import LARGEST_NUMBER, MOST_ENTRIES, RANGES

#: A plain file name. Windows and shells have no use for more, and ``..`` begins with a dot.
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
#: Times are added and multiplied later.
LONGEST = 1e18
#: Of a training, with those of what it continues.
_, MOST_EPOCHS = RANGES["epochs"]

Kind = Literal["id", "text", "whole", "number", "flag", "wholes", "numbers"]


@dataclass(frozen=True)
class Column:
    """What the cells of a column may be.

    Attributes:
        kind: "id" is a text that is a plain file name; "wholes" and "numbers" are lists.
        optional: A cell may be empty.
        required: The table must have the column. Other columns came later, or have a default.
        words: The allowed texts; empty: all.
        low: The smallest number.
        high: The largest number.
        infinite: Infinity is allowed as well, as the error of a network whose outputs overflowed.
    """

    kind: Kind
    optional: bool = True
    required: bool = False
    words: tuple[str, ...] = ()
    low: float = -LARGEST_NUMBER
    high: float = LARGEST_NUMBER
    infinite: bool = False


def _must(column: Column) -> Column:
    """Return a column that every row has a cell in."""
    return dataclasses.replace(column, optional=False, required=True)


_NUMBER = Column("number", infinite=True)
_AMOUNT = Column("number", low=0, high=LONGEST)
_ERROR = Column("number", low=0, infinite=True)
_COUNT = Column("whole", low=0, high=LARGEST_INTEGER)
#: Metrics with a column for each split: fields and properties of ``Metrics``.
METRICS = ("mae", "rmse", "pearson", "cs3", "cs5", "cs8", "epsilon_error", "mae_one_pass", "worst_group_mae")
#: Those whose columns end in the unit of the label.
METRICS_IN_UNITS = ("mae", "rmse", "mae_one_pass", "worst_group_mae")
#: The other columns of a split: the name of the group with the largest error, and how many people it has.
WORST_GROUP, WORST_GROUP_PEOPLE = "worst_group", "worst_group_people"
COSTS = ("params", "macs", "macs_at_224", "bytes")
#: How the names of the columns with measured times begin; they end in the resolution.
TIMED = ("latency_ms_per_image", "speedup_vs_vgg16")
#: All columns with measured times: at the trial's resolution, and at the paper's.
TIMES = tuple(
    f"{name}{size}{end}"
    for size in ("", "_at_224")
    for name, ends in zip(TIMED, (("",), ("", "_low", "_high")), strict=True)
    for end in ends
)
#: Stages whose rows are made from another trial, which ``parent`` names.
MADE_FROM_ANOTHER: tuple[Stage, ...] = ("confirm", "pruned", "distilled", "int8")


@cache
def trial_columns() -> Mapping[str, Column]:
    """Return the columns of ``trials.parquet``."""
    return {
        **_config_columns(),
        "id": _must(Column("id")),
        "stage": _must(Column("text", words=get_args(Stage))),
        "status": _must(Column("text", words=get_args(Status))),
        "cause": Column("text"),
        "parent": Column("id"),
        "slice_of": Column("id"),
        **{name: dataclasses.replace(_COUNT, low=1, required=True) for name in COSTS},
        **_metric_columns(("val", "test")),
        "epochs_run": _must(dataclasses.replace(_COUNT, high=MOST_EPOCHS)),
        "seconds": _must(_AMOUNT),
        "started": _must(_AMOUNT),
        "precision": Column("text", words=("", "auto", "bf16", "float32", "int8")),
        "trials_known": _COUNT,
    }


@cache
def epoch_columns() -> Mapping[str, Column]:
    """Return the columns of ``epochs.parquet``."""
    return {
        "id": _must(Column("id")),
        "epoch": _must(Column("whole", low=1, high=MOST_EPOCHS)),
        **{name: _NUMBER for name in ("train_loss", "train_kl", "learning_rate")},
        **{f"train_l1_{unit}": _NUMBER for unit in UNIT.values()},
        **{name: _AMOUNT for name in ("seconds", "images_per_second")},
        **_metric_columns(("val",)),
    }


@cache
def default_cells(attribute: Attribute) -> Mapping[str, Any]:
    """Return what the optional columns of ``trials.parquet`` hold for a row that was written without them.

    A setting has the default of ``TrialConfig``; everything else is empty: NaN for a number, None for a text.

    Args:
        attribute: The row's; errors in the unit of another have no column.
    """
    defaults = {f.name: f.default for f in dataclasses.fields(TrialConfig)}
    metrics = {
        name: None if column.kind == "text" else math.nan
        for name, column in _metric_columns(("val", "test")).items()
        if not name.endswith(tuple(UNIT.values())) or name.endswith(UNIT[attribute])
    }
    texts = dict.fromkeys(("cause", "parent", "slice_of", "precision"), None)
    settings = {
        name: defaults[name]
        for name, column in _config_columns().items()
        if not column.required and defaults[name] is not dataclasses.MISSING
    }
    return {**settings, **texts, "trials_known": math.nan, **metrics, **dict.fromkeys(TIMES, math.nan)}


#: The columns of ``predictions/ID.parquet``; further ones name groups.
PREDICTION_COLUMNS: Mapping[str, Column] = {
    "split": _must(Column("text", words=("val", "test"))),
    "image": _must(_COUNT),
    "label": _must(Column("number")),
    "estimate": _must(Column("number")),
    "deviation": _AMOUNT,
    "interval_low": Column("number", low=-LONGEST, high=LONGEST),
    "interval_high": Column("number", low=-LONGEST, high=LONGEST),
    "person": _must(Column("text")),
}


def check_table(frame: pd.DataFrame, columns: Mapping[str, Column]) -> None:
    """Check the cells of a table.

    Args:
        frame: The table.
        columns: What its columns may hold; others are not checked.

    Raises:
        FileContentError: A column is missing, given twice, or has a cell that it may not have.
    """
    if not frame.columns.is_unique or not all(isinstance(name, str) for name in frame.columns):
        raise FileContentError("the names of its columns are not different words")
    for name, column in columns.items():
        if name in frame:
            _check_column(name, frame[name], column)
        elif column.required:
            raise FileContentError(f"the column {name!r} is missing")


def check_trials(frame: pd.DataFrame) -> None:
    """Check ``trials.parquet``; see ``check_table``.

    Raises:
        FileContentError: A cell cannot be used, an id is there twice, a trial descends from itself, one that was
            made from another does not name it, or a finished one lacks its size or the column of its error.
    """
    timed = {str(name): _AMOUNT for name in frame if str(name).startswith(TIMED)}
    check_table(frame, {**trial_columns(), **timed})
    if frame.empty:
        return
    if not frame["id"].is_unique:
        raise FileContentError(f"the id {frame['id'][frame['id'].duplicated()].iloc[0]} is there twice")
    for name in (column for attribute in frame["attribute"].unique() for column in error_columns(attribute)):
        if name not in frame:
            raise FileContentError(f"the column {name!r} is missing")
    finished = frame[frame["status"] == "finished"]
    for cost in COSTS:
        if finished[cost].isna().any():
            raise FileContentError(f"a finished trial has no {cost}")
    parents = frame["parent"] if "parent" in frame else pd.Series(None, index=frame.index, dtype=object)
    for stage in frame.loc[parents.isna(), "stage"].unique():
        check_parent(stage, None)
    made = parents.notna()
    check_lineage(dict(zip(frame["id"][made], parents[made], strict=True)))


def check_row(row: Mapping[str, Any], columns: Mapping[str, Column], *, part: bool = False) -> None:
    """Check a row by itself, as a line of a journal has it; unlike a table, it has no other columns.

    Args:
        row: Its cells by column.
        columns: What they may be.
        part: The row has some of the columns only, as an amendment has.

    Raises:
        FileContentError: A cell is missing, unknown, or cannot be used.
    """
    for name, cell in row.items():
        if name not in columns:
            raise FileContentError(f"column {name[:60]!r} is not known")
        if not _is_usable(cell, columns[name]):
            raise _refusal(name, cell)
    if not part and (missing := [n for n, c in columns.items() if c.required and n not in row]):
        raise FileContentError(f"the column {missing[0]!r} is missing")


def check_trial_row(row: Mapping[str, Any], *, part: bool = False) -> None:
    """Check a row of ``trials.parquet`` by itself; see ``check_row``.

    Raises:
        FileContentError: As there, or it is the row of a finished trial without its size or error.
    """
    timed = {name: _AMOUNT for name in row if name.startswith(TIMED)}
    check_row(row, {**trial_columns(), **timed}, part=part)
    if part or row["status"] != "finished":
        return
    for name in (*COSTS, error_columns(row["attribute"])[0]):
        if row.get(name) is None:
            raise FileContentError(f"a finished trial has no {name}")


def check_parent(stage: str, parent: object) -> None:
    """Check that a row names the trial that it was made from, where its stage says that there is one.

    Raises:
        FileContentError: It does not.
    """
    if stage in MADE_FROM_ANOTHER and not isinstance(parent, str):
        raise FileContentError(f"a trial of stage {stage} has no parent, which it was made from")


def _is_usable(cell: Any, column: Column) -> bool:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return column.optional
    if column.kind not in ("whole", "number"):
        return _is_cell(cell, column)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return False
    if math.isinf(cell):
        return column.infinite
    return column.low <= cell <= column.high and (column.kind == "number" or cell == math.floor(cell))


def check_lineage(parents: Mapping[str, str]) -> None:
    """Check that no trial descends from itself.

    Args:
        parents: The parent of each trial that has one.

    Raises:
        FileContentError: One does.
    """
    settled: set[str] = set()
    for trial_id in parents:
        above: set[str] = set()
        name: str | None = trial_id
        while name is not None and name not in settled:
            if name in above:
                raise FileContentError(f"the trial {name} descends from itself")
            above.add(name)
            name = parents.get(name)
        settled.update(above)


def _check_column(name: str, cells: "pd.Series[Any]", column: Column) -> None:
    empty = cells.isna().to_numpy(dtype=bool)
    if not column.optional and empty.any():
        raise FileContentError(f"column {name!r} has an empty cell in row {int(np.argmax(empty)) + 1}")
    known = cells[~empty]
    if column.kind in ("whole", "number") and len(known):
        if not pd.api.types.is_numeric_dtype(known) or known.dtype.kind not in "iuf":
            known = _each(name, known, column)
        _check_numbers(name, known.to_numpy(dtype=np.float64), column)
    else:
        for cell in _distinct(known):
            if not _is_cell(cell, column):
                raise _refusal(name, cell)


def _distinct(cells: "pd.Series[Any]") -> Iterable[Any]:
    """Return the cells, each text once."""
    values = cells.tolist()
    return dict.fromkeys(values) if all(isinstance(value, str) for value in values) else values


def _each(name: str, cells: "pd.Series[Any]", column: Column) -> "pd.Series[Any]":
    """Check the type of each cell of a column of objects, which Python's numbers may be in."""
    for cell in cells.tolist():
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            raise _refusal(name, cell)
        if abs(cell) > LARGEST_INTEGER and not math.isinf(cell):
            raise _refusal(name, cell)
    return cells


def _check_numbers(name: str, values: np.ndarray[Any, np.dtype[np.float64]], column: Column) -> None:
    wrong = ~((values >= column.low) & (values <= column.high))
    if column.infinite:
        wrong &= ~np.isinf(values)
    if column.kind == "whole":
        wrong |= values != np.floor(values)
    if wrong.any():
        raise _refusal(name, float(values[np.argmax(wrong)]))


def _is_cell(cell: Any, column: Column) -> bool:
    if column.kind == "flag":
        return isinstance(cell, bool | np.bool_)
    if column.kind in ("wholes", "numbers"):
        return _is_list(cell, column)
    if not isinstance(cell, str):
        return False
    if column.kind == "id":
        return ID.fullmatch(cell) is not None
    return not column.words or cell in column.words


def _is_list(cell: Any, column: Column) -> bool:
    parts = cell.tolist() if hasattr(cell, "tolist") else cell
    if not isinstance(parts, list | tuple) or len(parts) > MOST_ENTRIES:
        return False
    kinds = (int,) if column.kind == "wholes" else (int, float)
    return all(
        isinstance(part, kinds) and not isinstance(part, bool) and column.low <= part <= column.high
        for part in parts
    )


def _refusal(name: str, cell: Any) -> FileContentError:
    return FileContentError(f"column {name!r} holds {str(cell)[:60]!r}, which it cannot")


def _metric_columns(splits: Iterable[str]) -> dict[str, Column]:
    columns = {
        f"{split}_{name}{unit}": _ERROR if unit else _NUMBER
        for split in splits
        for name in METRICS
        for unit in ([f"_{unit}" for unit in UNIT.values()] if name in METRICS_IN_UNITS else [""])
    }
    for split in splits:
        columns |= {f"{split}_{WORST_GROUP}": Column("text"), f"{split}_{WORST_GROUP_PEOPLE}": _COUNT}
    return columns


def _config_columns() -> dict[str, Column]:
    hints = get_type_hints(TrialConfig)
    columns = {name: _column_of(name, hint) for name, hint in hints.items()}
    must = ("network", "widths", "depths", "attribute", "epochs", "resolution", "seed")
    # An evaluated parent has the precision of its training; "precision" is as resolved, or int8.
    return {
        name: dataclasses.replace(column, required=name in must)
        for name, column in columns.items()
        if name != "precision"
    }


def _column_of(name: str, hint: Any) -> Column:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    optional, (kind,) = type(None) in options, (option for option in options if option is not type(None))
    low, high = RANGES.get(name, (-LARGEST_NUMBER, LARGEST_NUMBER))
    if get_origin(kind) is Literal:
        return Column("text", optional, words=get_args(kind))
    if get_origin(kind) is tuple:
        whole = get_args(kind)[0] is int
        return Column("wholes" if whole else "numbers", optional, low=low, high=high)
    if kind is bool:
        return Column("flag", optional)
    if kind is int:
        return Column("whole", optional, low=low, high=high)
    return Column("number", optional, low=low, high=high) if kind is float else Column("text", optional)


def error_columns(attribute: Attribute) -> tuple[str, str]:
    """Return the columns with the error of an attribute on validation and on test."""
    return f"val_mae_{UNIT[attribute]}", f"test_mae_{UNIT[attribute]}"
