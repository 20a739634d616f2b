"""What the page's scripts draw from: the trials column by column, as JSON types.

Columns, not rows: ten thousand trials then fit into a few megabytes, and a script takes what it needs.
Text in here is plain text, not markup, the cells of the table of trials included.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from reports.formatting import error_decimals
from reports.model.confirmation import other_confirmations
from reports.model.dimensions import dimensions
from reports.model.front_lines import COSTS, lineage, unbeaten
from reports.model.growth import Growth
from reports.model.hypervolume import volume
from reports.model.networks import compared_networks, published_marks
from reports.model.predictions import Coverage, Predictions, read_predictions
from reports.model.repeat_command import repeat_prefix
from reports.model.rounding import rounded
from reports.model.shared_weights import SharedWeights
from reports.model.sharing_data import growth_data, sharing_data
from reports.model.timing import conditions
from reports.model.training_length import training_length
from reports.model.trial_columns import NAME, Cell, Column
from reports.model.trials import NAMES, FrontSummary, Trial
from reports.model.unconfirmed import unconfirmed
from reports.model.within_tolerance import Verdict
from suite.runs.info import RunInfo
from suite.runs.layout import PREDICTIONS
from suite.runs.tables import Run
from suite.statistics.age_threshold import EVERYBODY, USUAL, GroupDecisions, heads, rule_in_words
from suite.statistics.clustered import GroupError
from suite.trial import TrialConfig

#: Fields of a configuration that the page has elsewhere, or that say nothing to a reader.
NOT_RECIPE = (
    *("widths", "depths", "network"),
    *(field.name for field in fields(TrialConfig) if field.name.endswith("_sha256")),
)


def page_data(
    run: Run,
    summary: FrontSummary,
    columns: Sequence[Column],
    importance: Mapping[str, float],
    grown: Growth | None,
    location: str,
    shared: SharedWeights | None = None,
    found: Verdict | None = None,
) -> dict[str, Any]:
    """Return everything that the page's scripts draw from.

    ``columns`` are those of the table of trials; ``importance`` the share of each dimension, by
    name; ``location`` is the run's folder or URL, for the commands that the page shows; ``shared`` is None where
    the networks share no weights; ``found`` is None where confirmed members cannot be compared.
    """
    info, shown = run.info, networks(summary)
    columns_of_trials = _trials(shown)
    chosen = (summary.best, summary.knee, summary.smallest)
    return {
        "run": _about(run, summary, location),
        "verdict": _verdict(found),
        "trials": {name: dictionary_encoded(values) for name, values in columns_of_trials.items()},
        "axes": axes(info, summary),
        "notable": list(dict.fromkeys(trial.id for trial in chosen if trial)),
        "networks": compared_networks(info, summary),
        "network_names": dict(NAMES),
        "published": published_marks(info, summary),
        "recipe": _recipe(run, shown),
        "unbeaten": unbeaten_rows(summary, shown),
        "lineage": _lineage_rows(summary, shown),
        "dimensions": dimensions(run, shown),
        "importance": dict(importance),
        "curves": _curves(run, shown),
        "confirmations": _confirmations(summary),
        "predictions": _predictions(run, summary),
        "growth": growth_data(grown),
        "sharing": sharing_data(shared, shown, other_confirmations(run)),
        "columns": [_column(column, shown, columns_of_trials) for column in columns],
    }


def networks(summary: FrontSummary) -> tuple[Trial, ...]:
    """Return the search's trials in reading order, then compressed networks, then the parent that was pruned."""
    return (*summary.trials, *summary.relatives)


def unbeaten_rows(summary: FrontSummary, shown: Sequence[Trial]) -> dict[str, list[int]]:
    """The rows of the front's members that are unbeaten in error and one cost, by the cost."""
    row = {trial.id: number for number, trial in enumerate(shown)}
    return {cost: [row[trial.id] for trial in unbeaten(summary.front, cost)] for cost in COSTS}


def _lineage_rows(summary: FrontSummary, shown: Sequence[Trial]) -> list[list[int]]:
    """The rows of each parent and its child."""
    row = {trial.id: number for number, trial in enumerate(shown)}
    return [[row[parent.id], row[child.id]] for parent, child in lineage(summary)]


def _about(run: Run, summary: FrontSummary, location: str) -> dict[str, Any]:
    info = run.info
    front, single = volume(info, summary), unconfirmed(info, summary, location)
    return {
        "name": info.name,
        "folder": location,
        "unit": info.unit,
        "decimals": error_decimals(info.unit),
        "attribute": info.attribute,
        "objectives": list(info.objectives),
        "confirmed": summary.is_confirmed,
        "error_title": training_length(summary).title,
        "single": single.length if single else "",
        "confirm": single.command if single else "",
        "constant": rounded(info.data.constant_val_mae),
        "resolution": info.resolution,
        "repeat": repeat_prefix(info),
        "vary": list(info.search.get("vary") or {}),
        "timed": conditions(info, summary.timed_at) if summary.timed_at else "",
        "volume": rounded(front.share) if front else None,
    }


def _verdict(found: Verdict | None) -> dict[str, Any] | None:
    """Return the confirmed members against the best: the ends of the interval of each, by its id."""
    if found is None:
        return None
    return {
        "tolerance": found.tolerance,
        "detectable": rounded(found.comparison.detectable),
        "against": {name: [rounded(one.low), rounded(one.high)] for name, one in found.against.items()},
    }


def _trials(shown: Sequence[Trial]) -> dict[str, list[Any]]:
    def column(value: Callable[[Trial], Any]) -> list[Any]:
        return [value(trial) for trial in shown]

    return {
        "id": column(lambda t: t.id),
        "stage": column(lambda t: t.stage),
        "status": column(lambda t: t.status),
        "parent": column(lambda t: t.parent),
        "slice_of": column(lambda t: t.slice_of),
        "cause": column(lambda t: t.cause),
        "front": column(lambda t: int(t.on_front)),
        "error": column(lambda t: rounded(t.error)),
        "interval": column(intervals),
        "val": column(lambda t: rounded(t.val_mae)),
        "one_pass": column(lambda t: rounded(t.one_pass)),
        "test": column(lambda t: rounded(t.test_error)),
        "worst": column(lambda t: rounded(t.worst_group_mae)),
        "worst_group": column(
            lambda t: [t.worst_group.name, t.worst_group.people] if t.worst_group else None
        ),
        "outside": column(lambda t: int(not t.is_within_bounds)),
        "params": column(lambda t: _whole(t.params)),
        "macs": column(lambda t: _whole(t.macs)),
        "bytes": column(lambda t: _whole(t.bytes)),
        "ms": column(lambda t: rounded(t.timing.ms)),
        "speedup": column(
            lambda t: (
                [rounded(v) for v in (t.timing.speedup.value, t.timing.speedup.low, t.timing.speedup.high)]
                if t.timing.known
                else None
            )
        ),
        "network": column(lambda t: t.network),
        "widths": column(lambda t: list(t.widths)),
        "depths": column(lambda t: list(t.depths)),
        "resolution": column(lambda t: t.recipe.resolution),
        "tiny": column(lambda t: int(t.is_tiny)),
        "exported": column(lambda t: t.exported),
        "epochs": column(lambda t: t.epochs_run),
        "epochs_requested": column(lambda t: t.recipe.epochs),
        "seconds": column(lambda t: rounded(t.seconds)),
        "seed": column(lambda t: t.seed),
    }


def intervals(trial: Trial) -> list[float | None] | None:
    """Return the ends of the confirmed mean's 95 % interval, its seeds, and people (0: over seeds alone); else None."""
    found = trial.confirmed.interval if trial.confirmed else None
    return [rounded(found.low), rounded(found.high), found.values, found.people] if found else None


def axes(info: RunInfo, summary: FrontSummary) -> list[dict[str, Any]]:
    """Return the costs that errors are drawn against; ``column`` is a column of the trials."""
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
    """Return the configuration's fields: ``same`` for all trials, or ``varied`` with a value per trial."""
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
            varied[name] = dictionary_encoded(values)
    return {"same": same, "varied": varied}


def _curves(run: Run, shown: Sequence[Trial]) -> dict[str, list[Any]]:
    """Return validation MAE and the error on training batches after each epoch, in the order of the trials."""
    curves: dict[str, list[Any]] = {"val": [[] for _ in shown], "train": [[] for _ in shown]}
    if not len(run.epochs):
        return curves
    row = {trial.id: number for number, trial in enumerate(shown)}
    epochs = run.epochs.sort_values(["id", "epoch"], kind="stable")
    ids = epochs["id"].astype(str).to_numpy()
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    for name, column in (("val", run.info.error_column), ("train", f"train_l1_{run.info.unit}")):
        if column not in epochs:
            continue
        values = np.round(epochs[column].to_numpy(float), error_decimals(run.info.unit))
        finite = [value if math.isfinite(value) else None for value in values.tolist()]
        for begin, end in zip(starts, np.append(starts[1:], len(ids)), strict=True):
            if (number := row.get(ids[begin])) is not None:
                curves[name][number] = finite[begin:end]
    return curves


def _confirmations(summary: FrontSummary) -> dict[str, list[Any]]:
    """Return each trial's confirming trainings by its id: id, seed, status, validation and test MAE."""
    return {
        member: [
            [t.id, t.seed, t.status, rounded(t.val_mae), rounded(t.test_mae)] for t in confirmed.trainings
        ]
        for member, confirmed in summary.confirmations.items()
    }


def _predictions(run: Run, summary: FrontSummary) -> dict[str, Any]:
    """Return the predictions of every network that has some, of its own training or of the confirming ones."""
    found: dict[str, Any] = {}
    if not (run.folder / PREDICTIONS).is_dir():
        return found
    for trial in networks(summary):
        again = summary.confirmations.get(trial.id)
        names = [t.id for t in again.trainings if t.finished] if again else []
        predictions = read_predictions(run.folder, names, run.info) or read_predictions(
            run.folder, [trial.id], run.info
        )
        if predictions is not None:
            found[trial.id] = _as_data(predictions)
    return found


def _as_data(predictions: Predictions) -> dict[str, Any]:
    return {
        "split": predictions.split,
        "trainings": list(predictions.trainings),
        "images": predictions.images,
        "overall": _group(predictions.overall),
        "drawn": [list(pair) for pair in predictions.drawn],
        "groups": [[by, [_group(one) for one in rows]] for by, rows in predictions.groups],
        "coverage": _coverage_as_data(predictions.coverage),
        "threshold": _decisions_as_data(predictions.decisions),
    }


def _decisions_as_data(decisions: Mapping[str, Sequence[GroupDecisions]] | None) -> dict[str, Any] | None:
    """Return the decisions by an estimated age as text: what is decided, and a table for each way to group people."""
    if decisions is None:
        return None
    return {
        "rule": rule_in_words(USUAL),
        "tables": [
            [by, list(heads("" if by == EVERYBODY else by, USUAL)), [list(row.cells) for row in rows]]
            for by, rows in decisions.items()
        ],
    }


def _group(one: GroupError) -> list[Any]:
    return [one.group, one.images, one.people, rounded(one.mae), rounded(one.low), rounded(one.high)]


def _coverage_as_data(coverage: Coverage | None) -> dict[str, Any] | None:
    """Return the shares in percent; that of a group with too few people is None."""
    if coverage is None:
        return None
    return {
        "share": rounded(100 * coverage.share),
        "width": rounded(coverage.width),
        "groups": {by: [rounded(100 * row.share) for row in rows] for by, rows in coverage.groups.items()},
    }


def _column(column: Column, shown: Sequence[Trial], trials: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return a column's cells and sort keys.

    The column of names has no cells, since the trials have the names. Sort keys that equal a column of the trials
    are given as its name.
    """
    keys = [_exact(key) if isinstance(key, float) else key for key in map(column.sort_key, shown)]
    same = next((name for name, values in trials.items() if values == keys), None)
    names = column.title == NAME
    return {
        "title": column.title,
        "unit": column.unit,
        "words": column.words,
        "cells": None if names else dictionary_encoded([_cell(column.cell(trial)) for trial in shown]),
        "keys": same or dictionary_encoded(keys),
    }


def _cell(cell: Cell) -> str | list[str]:
    """Encode a cell; as its text alone if it has no note."""
    return [cell.text, cell.note, cell.kind] if cell.note else cell.text


def dictionary_encoded(values: list[Any]) -> list[Any] | dict[str, list[Any]]:
    """Encode many equal values: each once under ``of``, and indices into that under ``at``."""
    if len(values) < 200:
        return values
    texts = list(map(repr, values))
    first = dict(zip(reversed(texts), reversed(range(len(values))), strict=True))
    if 2 * len(first) > len(values):
        return values
    row = {text: number for number, text in enumerate(first)}
    return {"of": [values[number] for number in first.values()], "at": [row[text] for text in texts]}


def _plain(value: Any) -> Any:
    """Return a cell as a JSON type; None if it is empty."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _exact(value: float) -> float | int | None:
    return int(value) if value.is_integer() else rounded(value) if math.isfinite(value) else None


def _whole(value: float) -> int | None:
    return int(value) if math.isfinite(value) else None
