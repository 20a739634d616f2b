"""No string of a run reaches a page as HTML."""

import dataclasses
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pandas as pd
import pytest

from reports.html.page import page
from reports.html.page_of_runs import page_of_runs
from reports.html.templating import render
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun

HOSTILE = "<b>x</b>\"'&"
#: Strings that decide what a report shows, rather than being shown.
KEPT_FIELDS = {"attribute", "objectives"}
KEPT_COLUMNS = {"id", "stage", "parent", "attribute"}


def hostile(value: Any) -> Any:
    """The value with every string in it replaced, those of keys too."""
    if isinstance(value, str):
        return HOSTILE
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value,
            **{
                field.name: hostile(getattr(value, field.name))
                for field in dataclasses.fields(value)
                if field.name not in KEPT_FIELDS
            },
        )
    if isinstance(value, Mapping):
        return {HOSTILE + str(number): hostile(inner) for number, inner in enumerate(value.values())}
    if isinstance(value, list | tuple):
        return type(value)(hostile(inner) for inner in value)
    return value


def hostile_search(search: Mapping[str, Any]) -> dict[str, Any]:
    """A search whose known keys are there, with hostile values, and an unknown one."""
    counts = {key: value for key, value in search.items() if isinstance(value, int)}
    vary = {**search.get("vary", {}), HOSTILE: {"choices": [HOSTILE, None]}}
    words = {key: HOSTILE for key in ("name", "description", "sampler", HOSTILE)}
    return {**counts, **words, "vary": vary, "base": {HOSTILE: [HOSTILE]}}


def hostile_run(run: Run) -> Run:
    """The run with hostile strings in ``run.json`` and in both tables; its trials are still finished ones."""
    info = dataclasses.replace(hostile(run.info), search=hostile_search(run.info.search))
    trials, epochs = run.trials.copy(), run.epochs.copy()
    for table in (trials, epochs):
        if len(table):
            table["id"] = table["id"] + HOSTILE
    for column in trials.columns:
        if column not in KEPT_COLUMNS and trials[column].map(lambda cell: isinstance(cell, str)).any():
            odd = range(1, len(trials), 2) if column in ("status", "network") else range(len(trials))
            trials[column] = trials[column].astype(object)
            trials.loc[trials.index[list(odd)], column] = HOSTILE
    made = {**trials.iloc[0].to_dict(), "id": "made" + HOSTILE, "stage": HOSTILE, "parent": HOSTILE}
    return Run(run.folder, info, pd.concat([trials, pd.DataFrame([made])], ignore_index=True), epochs)


def outside_of_scripts(html: str) -> str:
    return re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)


def assert_escaped(html: str, at_least: int) -> None:
    markup = outside_of_scripts(html)
    assert "<b>x" not in markup
    assert '<b>x</b>"' not in html  # as JSON it has a backslash, and no "<"
    shown = re.sub(r"<[^>]+>", " ", markup)
    assert unescape(shown).count(HOSTILE) >= at_least


def test_no_string_of_a_run_is_markup_in_its_page(make_run: MakeRun) -> None:
    run = hostile_run(make_run(trials=8, statuses=["finished"] * 8))
    assert_escaped(page(run, {HOSTILE: 0.7}, HOSTILE), at_least=60)


def test_no_string_of_a_comparison_over_seeds_is_markup(make_points: MakeRun) -> None:
    points = [({"method": method}, (5.0 + n, 5.2 + n)) for n, method in enumerate(("dex", "dldl-v2"))]
    run = make_points(points, {"method": {"choices": ["dex", "dldl-v2"]}})
    trials = run.trials.assign(method=[HOSTILE + str(n // 2) for n in range(len(run.trials))])
    info = dataclasses.replace(
        hostile(run.info), search={"seeds": 2, "name": HOSTILE, "vary": {"method": {"choices": [HOSTILE]}}}
    )
    assert_escaped(page(Run(run.folder, info, trials, run.epochs)), at_least=30)


def test_no_string_of_several_runs_is_markup_in_their_page(make_run: MakeRun) -> None:
    run = hostile_run(make_run(trials=4, statuses=["finished"] * 4))
    assert_escaped(page_of_runs([run, run]), at_least=12)


def test_a_template_without_a_name_that_it_uses_is_an_error() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError, match="text"):
        render("banner")
