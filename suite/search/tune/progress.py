"""The progress of a stage, for those who watch a search: counts, the best error, the time left."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from suite.runs.front import best_error, confirmation_seconds, front_rows, rows_to_confirm
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.watcher import SearchProgress, TrainingProgress
from suite.search.session import Search
from suite.search.tune.searcher import RunningTrial, TrialSearcher
from suite.trial import Stage, TrialResult


class StageProgress:
    """Tells the watcher of a search the ``SearchProgress`` of one stage whenever a trial changes."""

    def __init__(self, search: Search, info: RunInfo, ledger: RunLedger, stage: Stage, trials: int) -> None:
        self._search, self._info, self._ledger, self._stage, self._trials = (
            search,
            info,
            ledger,
            stage,
            trials,
        )
        self._began = time.monotonic()
        self._before = len(ledger.rows_of(stage))
        self._front: Sequence[Mapping[str, Any]] = ()
        self._to_confirm: Sequence[Mapping[str, Any]] = ()  # after a search only
        self._select()

    def __call__(self, searcher: TrialSearcher, ended: TrialResult | None) -> None:
        """Tell the progress.

        Args:
            searcher: Has the running trials.
            ended: The trial that has just ended; None where none has.
        """
        rows, info, trials = self._ledger.rows_of(self._stage), self._info, self._trials
        if ended is not None:
            self._select()
        running = searcher.running.values()
        trained = sum(t.last_epoch.epoch / t.proposal.config.epochs for t in running if t.last_epoch)
        done_now = len(rows) - self._before + trained
        left = trials - len(rows) - trained
        spent = time.monotonic() - self._began
        finished = sum(row["status"] == "finished" for row in rows)
        stopped = sum(row["status"] == "stopped" for row in rows)
        seconds_left = spent / done_now * left if done_now else float("nan")
        progress = SearchProgress(
            requested=trials,
            finished=finished,
            running=sum(trial.begun_at is not None for trial in running),
            stopped=stopped,
            lost=len(rows) - finished - stopped,
            share_done=min(1.0, (len(rows) + trained) / trials),
            best_mae=best_error(rows, info.error_column),
            unit=info.unit,
            front=len(self._front),
            seconds=searcher.seconds,
            seconds_left=seconds_left + confirmation_seconds(self._to_confirm, info),
            stage=self._stage,
            trainings=tuple(_training(trial) for trial in running if trial.begun_at is not None),
        )
        self._search.watcher.change(progress, ended)

    def _select(self) -> None:
        rows, info = self._ledger.rows, self._info
        self._front = front_rows(rows, info.objectives, info.error_column, info.most)
        if self._stage == "search":
            self._to_confirm = rows_to_confirm(rows, info)


def _training(trial: RunningTrial) -> TrainingProgress:
    last, proposal = trial.last_epoch, trial.proposal
    return TrainingProgress(
        id=proposal.id,
        epoch=last.epoch if last else 0,
        epochs=proposal.config.epochs,
        mae=last.validation.mae if last else math.nan,
    )
