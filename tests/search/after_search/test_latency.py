"""Which trials are timed beside VGG-16 when the search is over."""

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import pytest

from suite.search.after_search import latency
from suite.search.after_search.latency import measure_latency, paper_networks
from tests.search.after_search.test_evaluation import TINY, row
from tests.support.runs import run_info


def test_the_papers_network_is_timed_once_though_others_dominate_it() -> None:
    other = row(0, dataclasses.replace(TINY, widths=(4, 8, 16, 16, 16)))
    rows = [other, row(1, TINY), row(2, dataclasses.replace(TINY, learning_rate=0.01))]
    assert [found["id"] for found in paper_networks(rows, [other])] == ["t0001"]


def test_a_network_that_the_front_shows_is_not_timed_twice() -> None:
    rows = [row(0, TINY), row(1, TINY)]
    assert paper_networks(rows, rows[:1]) == []


def test_a_trial_without_a_result_and_a_reference_are_not_compact_networks_of_the_paper() -> None:
    rows = [row(0, TINY, "diverged"), row(1, dataclasses.replace(TINY, network="vgg16"))]
    assert paper_networks(rows, []) == []


@pytest.mark.parametrize(("of_the_second", "timed"), [(2.0, []), (math.nan, ["t0000", "t0001"])])
def test_all_are_timed_again_where_a_resumed_run_confirms_one_that_was_not(
    monkeypatch: pytest.MonkeyPatch, of_the_second: float, timed: list[str]
) -> None:
    rows = [row(0, TINY), row(1, TINY)]
    for one, time in zip(rows, (2.0, of_the_second), strict=True):
        one["latency_ms_per_image"] = time
    measured: list[str] = []
    monkeypatch.setattr(latency, "rows_to_confirm", lambda *_: rows)
    monkeypatch.setattr(latency, "front_rows", lambda *_: rows[:1])
    monkeypatch.setattr(
        latency, "time_beside_vgg16", lambda _, trials, *__: measured.extend(one["id"] for one in trials)
    )
    search: Any = SimpleNamespace(
        space=SimpleNamespace(latency=SimpleNamespace(rounds=3, batch_size=1)),
        watcher=SimpleNamespace(stage=lambda _: None),
    )
    ledger: Any = SimpleNamespace(rows=rows, rows_of=lambda _: rows)
    info = dataclasses.replace(run_info(search={"confirm_seeds": 3}), latency={"rounds": 3})
    measure_latency(search, info, ledger)
    assert measured == timed
