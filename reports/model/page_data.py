"""What the page's scripts draw from: the trials column by column, as JSON types.

Columns, not rows: ten thousand trials then fit into a few megabytes, and a script takes what it needs.
Text in here is text, not markup, but for the cells of the table of trials, which are escaped HTML.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from reports.formatting import error_places
from reports.model.dimensions import dimensions
from reports.model.growth import Growth
from reports.model.hypervolume import volume
from reports.model.networks import compared_networks, published_marks
from reports.model.predictions import Predictions, read_predictions
from reports.model.repeat_command import repeat_prefix
from reports.model.timing import conditions
from reports.model.trial_columns import NAME, Cell, Column
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo
from suite.runs.layout import PREDICTIONS
from suite.runs.tables import Run
from suite.statistics.paired import mean_interval
from suite.trial import TrialConfig

#: Fields of a configuration that the page has elsewhere, or that say nothing to a reader.
NOT_RECIPE = ("widths", "depths", "network", "backbone_sha256")


def page_data(
    run: Run,
    summary: FrontSummary,
    columns: Sequence[Column],
    importance: Mapping[str, float],
    grown: Growth | None,
    place: str,
) -> dict[str, Any]:
    """Everything that the scripts need, of a run and of its networks in reading order.

    ``columns`` are those of the table of trials; ``importance`` the share of each dimension, by
    name; ``place`` is the run's folder or URL, as commands are to name it.
    """
    info, shown = run.info, networks(summary)
    columns_of_trials = _trials(shown)
    chosen = (summary.best, summary.knee, summary.smallest)
    return {
        "run": _about(run, summary, place),
        "trials": {name: packed(values) for name, values in columns_of_trials.items()},
        "axes": axes(info, summary),
        "notable": list(dict.fromkeys(trial.id for trial in chosen if trial)),
        "networks": compared_networks(info, summary),
        "published": published_marks(info, summary),
        "recipe": _recipe(run, shown),
        "dimensions": dimensions(run, shown),
        "importance": dict(importance),
        "curves": _curves(run, shown),
        "again": _again(summary),
        "predictions": _predictions(run, summary),
        "growth": {"ended": grown.ended, "shares": [short(s) for s in grown.shares]} if grown else None,
        "columns": [_column(column, shown, columns_of_trials) for column in columns],
    }


def networks(summary: FrontSummary) -> tuple[Trial, ...]:
    """The search's trials in reading order, then what was made from them, and what they were made from."""
    return (*summary.trials, *summary.kin)


def _about(run: Run, summary: FrontSummary, place: str) -> dict[str, Any]:
    info = run.info
    front = volume(info, summary)
    return {
        "name": info.name,
        "folder": place,
        "unit": info.unit,
        "places": error_places(info.unit),
        "attribute": info.attribute,
        "objectives": list(info.objectives),
        "confirmed": summary.is_confirmed,
        "constant": short(info.data.constant_val_mae),
        "resolution": info.resolution,
        "repeat": repeat_prefix(info),
        "vary": list(info.search.get("vary") or {}),
        "timed": conditions(info, summary.timed_at) if summary.timed_at else "",
        "volume": short(front.share) if front else None,
    }


def _trials(shown: Sequence[Trial]) -> dict[str, list[Any]]:
    def column(value: Callable[[Trial], Any]) -> list[Any]:
        return [value(trial) for trial in shown]

    return {
        "id": column(lambda t: t.id),
        "stage": column(lambda t: t.stage),
        "status": column(lambda t: t.status),
        "parent": column(lambda t: t.parent),
        "cause": column(lambda t: t.cause),
        "front": column(lambda t: int(t.on_front)),
        "error": column(lambda t: short(t.error)),
        "interval": column(intervals),
        "val": column(lambda t: short(t.val_mae)),
        "test": column(lambda t: short(t.test_error)),
        "params": column(lambda t: _whole(t.params)),
        "macs": column(lambda t: _whole(t.macs)),
        "bytes": column(lambda t: _whole(t.bytes)),
        "ms": column(lambda t: short(t.timing.ms)),
        "speedup": column(
            lambda t: (
                [short(v) for v in (t.timing.speedup.value, t.timing.speedup.low, t.timing.speedup.high)]
                if t.timing.known
                else None
            )
        ),
        "network": column(lambda t: t.network),
        "widths": column(lambda t: list(t.widths)),
        "depths": column(lambda t: list(t.depths)),
        "resolution": column(lambda t: t.recipe.resolution),
        "tiny": column(lambda t: int(t.is_tiny)),
        "epochs": column(lambda t: t.epochs_run),
        "asked": column(lambda t: t.recipe.epochs),
        "seconds": column(lambda t: short(t.seconds)),
        "seed": column(lambda t: t.seed),
    }


def intervals(trial: Trial) -> list[float | None] | None:
    """The ends of the confirmed mean's 95 % interval, and of how many seeds; None where it has none."""
    errors = list(trial.confirmed.errors.values()) if trial.confirmed else []
    if not errors:
        return None
    found = mean_interval(errors)
    return [short(found.low), short(found.high), len(errors)]


def axes(info: RunInfo, summary: FrontSummary) -> list[dict[str, Any]]:
    """The costs that errors are drawn against; ``column`` is one of the trials' columns."""
    sides = summary.resolutions
    at = f"{sides[0]} px" if len(sides) == 1 else "each trial's resolution"
    timed = f", {conditions(info, summary.timed_at)}" if summary.timed_at else ""
    return [
        {"column": "params", "name": "parameters", "title": "parameters", "unit": ""},
        {"column": "macs", "name": "multiply-adds", "title": f"multiply-adds at {at}", "unit": ""},
        {"column": "bytes", "name": "size", "title": "bytes on disk", "unit": "B"},
        {"column": "ms", "name": "latency", "title": f"latency of one image{timed}", "unit": "ms"},
    ]  # fmt: skip


def _recipe(run: Run, shown: Sequence[Trial]) -> dict[str, Any]:
    """The fields of the configurations: ``same`` for all trials, or ``varied`` with a value a trial."""
    same: dict[str, Any] = {}
    varied: dict[str, Any] = {}
    if not shown:
        return {"same": same, "varied": varied}
    table = run.trials.drop_duplicates("id").set_index("id").loc[[trial.id for trial in shown]]
    for name in (field.name for field in fields(TrialConfig)):
        if name in NOT_RECIPE or name not in table:
            continue
        values = [_plain(value) for value in table[name].tolist()]  # of which some are lists
        if all(value == values[0] for value in values):
            same[name] = values[0]
        else:
            varied[name] = packed(values)
    return {"same": same, "varied": varied}


def _curves(run: Run, shown: Sequence[Trial]) -> dict[str, list[Any]]:
    """Validation MAE after each epoch, and the error on the training batches, by the trials' order."""
    curves: dict[str, list[Any]] = {"val": [[] for _ in shown], "train": [[] for _ in shown]}
    if not len(run.epochs):
        return curves
    place = {trial.id: number for number, trial in enumerate(shown)}
    epochs = run.epochs.sort_values(["id", "epoch"], kind="stable")
    ids = epochs["id"].astype(str).to_numpy()
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    for name, column in (("val", run.info.error_column), ("train", f"train_l1_{run.info.unit}")):
        if column not in epochs:
            continue
        values = np.round(epochs[column].to_numpy(float), error_places(run.info.unit))
        told = [value if math.isfinite(value) else None for value in values.tolist()]
        for begin, end in zip(starts, np.append(starts[1:], len(ids)), strict=True):
            if (number := place.get(ids[begin])) is not None:
                curves[name][number] = told[begin:end]
    return curves


def _again(summary: FrontSummary) -> dict[str, list[Any]]:
    """The trainings that confirm a trial, by its id: id, seed, status, validation and test MAE."""
    return {
        member: [[t.id, t.seed, t.status, short(t.val_mae), short(t.test_mae)] for t in confirmed.trainings]
        for member, confirmed in summary.confirmations.items()
    }


def _predictions(run: Run, summary: FrontSummary) -> dict[str, Any]:
    """Of every network that was judged: by its own training, or by those that confirm it."""
    found: dict[str, Any] = {}
    if not (run.folder / PREDICTIONS).is_dir():
        return found
    for trial in networks(summary):
        again = summary.confirmations.get(trial.id)
        names = [t.id for t in again.trainings if t.finished] if again else []
        said = read_predictions(run.folder, names, run.info) or read_predictions(
            run.folder, [trial.id], run.info
        )
        if said is not None:
            found[trial.id] = _said(said)
    return found


def _said(said: Predictions) -> dict[str, Any]:
    return {
        "split": said.split,
        "trainings": list(said.trainings),
        "images": said.images,
        "drawn": [list(pair) for pair in said.drawn],
        "groups": [
            [by, [[g.group, g.images, g.people, short(g.mae), short(g.low), short(g.high)] for g in rows]]
            for by, rows in said.groups
        ],
    }


def _column(column: Column, shown: Sequence[Trial], trials: Mapping[str, list[Any]]) -> dict[str, Any]:
    """A column of the table: its cells, and what it sorts by.

    The column of names has no cells, as the trials have them. Sort keys that equal a column of the trials are
    given as its name.
    """
    keys = [_exact(key) if isinstance(key, float) else key for key in map(column.sort_key, shown)]
    same = next((name for name, values in trials.items() if values == keys), None)
    names = column.title == NAME
    return {
        "title": column.title,
        "unit": column.unit,
        "words": column.words,
        "cells": None if names else packed([_cell(column.cell(trial)) for trial in shown]),
        "keys": same or packed(keys),
    }


def _cell(cell: Cell) -> str | list[str]:
    """Only its text where it has no note."""
    return [cell.text, cell.note, cell.kind] if cell.note else cell.text


def packed(values: list[Any]) -> list[Any] | dict[str, list[Any]]:
    """Values of which many are the same: each once under ``of``, and places in that under ``at``."""
    if len(values) < 200:
        return values
    texts = list(map(repr, values))
    first = dict(zip(reversed(texts), reversed(range(len(values))), strict=True))
    if 2 * len(first) > len(values):
        return values
    place = {text: number for number, text in enumerate(first)}
    return {"of": [values[number] for number in first.values()], "at": [place[text] for text in texts]}


def _plain(value: Any) -> Any:
    """A cell as a JSON type; None where it is empty."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def short(value: float) -> float | None:
    """A number with six digits, which are more than any reader needs; None where there is none."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _exact(value: float) -> float | int | None:
    return int(value) if value.is_integer() else short(value) if math.isfinite(value) else None


def _whole(value: float) -> int | None:
    return int(value) if math.isfinite(value) else None
