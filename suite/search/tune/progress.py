"""What somebody who watches a search is told: counts, the best error, the time left."""

import time
from collections.abc import Mapping
from typing import Any

from suite.runs.front import best_error, confirmation_seconds, front_rows
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.watcher import SearchProgress
from suite.search.session import Search
from suite.search.tune.searcher import TrialSearcher
from suite.trial import Stage, TrialResult


class StageWatch:
    """Turns what the searcher knows into a ``SearchProgress`` of one stage for the watcher."""

    def __init__(self, search: Search, info: RunInfo, ledger: RunLedger, stage: Stage, asked: int) -> None:
        self._search, self._info, self._ledger, self._stage, self._asked = search, info, ledger, stage, asked
        self._began = time.monotonic()
        self._before = len(ledger.rows_of(stage))
        self._front: list[Mapping[str, Any]] = front_rows(ledger.rows, info.objectives, info.error_column)

    def __call__(self, searcher: TrialSearcher, ended: TrialResult | None) -> None:
        rows, info, asked = self._ledger.rows_of(self._stage), self._info, self._asked
        if ended is not None:
            self._front = front_rows(self._ledger.rows, info.objectives, info.error_column)
        under_way = sum(t.epoch.epoch / t.config.epochs for t in searcher.running.values() if t.epoch)
        done_now = len(rows) - self._before + under_way
        left = asked - len(rows) - under_way
        spent = time.monotonic() - self._began
        finished = sum(row["status"] == "finished" for row in rows)
        stopped = sum(row["status"] == "stopped" for row in rows)
        seconds_left = spent / done_now * left if done_now else float("nan")
        standing = SearchProgress(
            asked=asked,
            finished=finished,
            running=sum(trial.begun is not None for trial in searcher.running.values()),
            stopped=stopped,
            lost=len(rows) - finished - stopped,
            share_done=min(1.0, (len(rows) + under_way) / asked),
            best_mae=best_error(rows, info.error_column),
            unit=info.unit,
            front=len(self._front),
            seconds=searcher.seconds,
            seconds_left=seconds_left + self._confirmation_seconds(),
            stage=self._stage,
        )
        self._search.watcher.change(standing, ended)

    def _confirmation_seconds(self) -> float:
        """What the confirmation will take, if the front stays as it is and its members' trainings as long."""
        if self._stage != "search":
            return 0.0
        return confirmation_seconds(
            self._front, len(self._search.space.confirming_seeds), max(1, self._info.max_concurrent)
        )
