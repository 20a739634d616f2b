"""Runs in which every text of ``run.json`` and of both tables is one that somebody hostile chose."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from suite.runs.tables import Run

HOSTILE = "<b>x</b>\"'&"
#: Strings that decide what a report shows, rather than being shown.
KEPT_FIELDS = {"attribute", "objectives"}
KEPT_COLUMNS = {"id", "stage", "parent", "attribute"}


def hostile(value: Any, text: str = HOSTILE) -> Any:
    """The value with every string in it replaced, those of keys too."""
    if isinstance(value, str):
        return text
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value,
            **{
                field.name: hostile(getattr(value, field.name), text)
                for field in dataclasses.fields(value)
                if field.name not in KEPT_FIELDS
            },
        )
    if isinstance(value, Mapping):
        return {text + str(number): hostile(inner, text) for number, inner in enumerate(value.values())}
    if isinstance(value, list | tuple):
        return type(value)(hostile(inner, text) for inner in value)
    return value


def hostile_search(search: Mapping[str, Any], text: str = HOSTILE) -> dict[str, Any]:
    """A search whose known keys are there, with hostile values, and an unknown one."""
    counts = {key: value for key, value in search.items() if isinstance(value, int)}
    vary = {**search.get("vary", {}), text: {"choices": [text, None]}}
    words = {key: text for key in ("name", "description", "sampler", text)}
    return {**counts, **words, "vary": vary, "base": {text: [text]}}


def hostile_run(run: Run, text: str = HOSTILE) -> Run:
    """The run with hostile strings in ``run.json`` and in both tables; its trials are still finished ones."""
    info = dataclasses.replace(hostile(run.info, text), search=hostile_search(run.info.search, text))
    trials, epochs = run.trials.copy(), run.epochs.copy()
    for table in (trials, epochs):
        if len(table):
            table["id"] = table["id"] + text
    for column in trials.columns:
        if column not in KEPT_COLUMNS and trials[column].map(lambda cell: isinstance(cell, str)).any():
            odd = range(1, len(trials), 2) if column in ("status", "network") else range(len(trials))
            trials[column] = trials[column].astype(object)
            trials.loc[trials.index[list(odd)], column] = text
    made = {**trials.iloc[0].to_dict(), "id": "made" + text, "stage": text, "parent": text}
    return Run(run.folder, info, pd.concat([trials, pd.DataFrame([made])], ignore_index=True), epochs)
