"""The bridge between Ray Tune and the Optuna study; every trial's row is written here.

Ray's own ``OptunaSearch`` is not used because it drops the failure of a trial with a NaN objective
with a log line, keeps no name for a trial that both the study and the table could share, and reads
its resume state from a pickle. This one keeps no state of its own: the study's journal and the run's
ledger have it all.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from ray.tune import Callback
from ray.tune.search import Searcher

from search_spaces import SearchSpace
from suite.data.store import LabelRange
from suite.errors import RequestError
from suite.runs.folder import write_error
from suite.runs.ledger import RunLedger
from suite.runs.tables import trial_row
from suite.search.bounds import MOST_IN_A_ROW, excesses, sentence
from suite.search.interrupts import interrupts_held_back
from suite.search.parents import parent_of_trials
from suite.search.study.repeats import tell_repeat, trained_before
from suite.search.study.study import (
    ask,
    config_at,
    name_of,
    results_known,
    taken_up,
    tell,
    tell_out_of_bounds,
    under_way,
)
from suite.search.tune.file_server import DriverFiles
from suite.search.tune.lost_workers import why_lost
from suite.search.tune.messages import TrialReport, TrialRequest, checkpoint_name
from suite.training.backbones import pinned
from suite.trial import EpochResult, Stage, Status, TrialConfig, TrialResult

#: After so many repeats the sampler is taken to be stuck, and suggestions are drawn at random.
AT_RANDOM_AFTER = 10


class SearchOverError(BaseException):
    """What was to be kept of a trial cannot be, so that nothing more is to be trained.

    No ``Exception``: Ray Tune would take that for a fault of the trial, and train the trial again.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _over_where_nothing_is_kept() -> Iterator[None]:
    try:
        yield
    except (OSError, RequestError) as error:
        raise SearchOverError(error) from error


@dataclass
class RunningTrial:
    """A trial between its suggestion and its end."""

    id: str
    suggestion: optuna.Trial | None  # None: it is of no study
    config: TrialConfig
    trials_known: int
    suggested: float  # seconds since the search began
    begun: float | None = None  # when its actor was seen to begin; None: it still waits for one
    last: TrialReport | None = None
    epoch: EpochResult | None = None
    stopped: str | None = None  # why a rung stopped it
    lost: int = 0  # worker processes, each of which another took over from
    why_lost: str = "killed"  # the last of them
    stage: Stage = "search"
    parent: str | None = None


@dataclass(frozen=True)
class TrialsOf:
    """What makes a trial out of a suggestion, the same for all trials of a search."""

    space: SearchSpace
    label_range: LabelRange
    files: DriverFiles
    threads: int
    device: str | None


class TrialSearcher(Searcher):
    """Gives Ray Tune one trial after another, and the ledger the row of each that ended."""

    def __init__(
        self,
        ledger: RunLedger,
        trials_of: TrialsOf,
        *,
        on_change: Callable[["TrialSearcher", TrialResult | None], None],
        seconds_before: float = 0.0,
    ) -> None:
        super().__init__()
        self.ledger = ledger
        self.trials_of = trials_of
        self.running: dict[str, RunningTrial] = {}
        self._on_change = on_change
        self._zero = time.monotonic() - seconds_before
        self._zero_by_the_clock = time.time() - seconds_before

    @property
    def seconds(self) -> float:
        """Wall time of the search, its earlier sessions included."""
        return time.monotonic() - self._zero

    def suggest(self, trial_id: str) -> dict[str, Any] | str:  # type: ignore[override]  # as Ray documents it
        """The configuration of Ray Tune's trial ``trial_id``; ``FINISHED`` where there is none."""
        with _over_where_nothing_is_kept():
            trial = self._next_of(trial_id)
        if trial is None:
            finished: str = Searcher.FINISHED
            return finished
        request = TrialRequest(
            id=trial.id,
            config=trial.config,
            files=self.trials_of.files,
            threads=self.trials_of.threads,
            device=self.trials_of.device,
        )
        return {"request": request}

    def on_trial_start(self, trial_id: str) -> None:
        """An actor began a trial."""
        trial = self.running.get(trial_id)
        if trial is not None:
            trial.begun = self.seconds
            self._on_change(self, None)

    def on_trial_lost(self, trial_id: str, why: str) -> None:
        """A trial's process was lost, and another will go on with it."""
        trial = self.running.get(trial_id)
        if trial is not None:
            trial.lost, trial.why_lost, trial.begun = trial.lost + 1, why, None
            self._on_change(self, None)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """An epoch of a trial ended."""
        trial = self.running.get(trial_id)
        if trial is not None:
            with _over_where_nothing_is_kept():
                self._take(trial, result["report"])
                self.ledger.note_clock(self.seconds)
            self._on_change(self, None)

    @interrupts_held_back()
    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """A trial ended, by itself or because its process died too often.

        Raises:
            SearchOverError: the run folder could not be written to; a trial without a row is still under way.
        """
        trial = self.running.get(trial_id)
        if trial is None:
            return
        report: TrialReport | None = (result or {}).get("report")
        if report is not None and report is not trial.last:
            self._take(trial, report)
        if report is not None and report.status == "not-kept":
            raise SearchOverError(write_error(self.ledger.folder, report.cause))
        del self.running[trial_id]
        ended = self._result(trial)
        with _over_where_nothing_is_kept():
            self._announce(trial, ended)
            self.ledger.add_trial(ended)
            self._tell(trial, ended)
            (self.ledger.folder / checkpoint_name(trial.id)).unlink(missing_ok=True)
        self._on_change(self, ended)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the journal and the ledger hold the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: the journal and the ledger hold the state."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its settings, and what watches the search need not be a thing that can be."""
        return {}

    def _next_of(self, trial_id: str) -> RunningTrial | None:
        """The trial to train next, which is under way from here on; None where there is none."""
        with interrupts_held_back():
            trial = self._next()
            if trial is not None:
                self.running[trial_id] = trial
        self._on_change(self, None)
        return trial

    def _next(self) -> RunningTrial | None:
        """The trial to train next; None where there is none."""
        raise NotImplementedError

    def _announce(self, trial: RunningTrial, ended: TrialResult) -> None:
        """Prepare for the row of a trial that ended; a kill after this leaves it under way."""

    def _tell(self, trial: RunningTrial, ended: TrialResult) -> None:
        """Tell whoever has to know, besides the ledger, how a trial ended."""

    def _take(self, trial: RunningTrial, report: TrialReport) -> None:
        trial.last = report
        if report.before is not None:
            self.ledger.begin_trial(trial.id, report.before, trial.config.attribute)
            trial.epoch = report.before[-1] if report.before else None
        if report.epoch is not None:
            trial.epoch = report.epoch
            self.ledger.add_epoch(trial.id, report.epoch, trial.config.attribute)

    def _result(self, trial: RunningTrial) -> TrialResult:
        report = trial.last
        status: Status = "failed"
        times = "" if trial.lost == 0 else f" {trial.lost + 1} times"
        cause = f"its worker process was lost{times} ({trial.why_lost}); Ray's errors are below tune/"
        if trial.stopped is not None:
            status, cause = "stopped", trial.stopped
        elif report is not None and report.ended:
            status, cause = report.status, report.cause  # type: ignore[assignment]
        seen = trial.suggested if trial.begun is None else trial.begun
        return TrialResult(
            id=trial.id,
            stage=trial.stage,
            config=trial.config,
            status=status,
            cause=cause,
            profile=report.profile if report else None,
            validation=trial.epoch.validation if trial.epoch else None,
            epochs_run=trial.epoch.epoch if trial.epoch else 0,
            seconds=report.seconds if report else self.seconds - seen,
            precision=report.precision if report else "",
            trials_known=trial.trials_known,
            started=max(0.0, report.began - self._zero_by_the_clock) if report else seen,
            parent=trial.parent,
        )


class StudySearcher(TrialSearcher):
    """Suggests trials from an Optuna study and tells it, too, how they ended."""

    def __init__(
        self,
        study: optuna.Study,
        ledger: RunLedger,
        trials_of: TrialsOf,
        *,
        on_change: Callable[[TrialSearcher, TrialResult | None], None],
        seconds_before: float = 0.0,
    ) -> None:
        super().__init__(ledger, trials_of, on_change=on_change, seconds_before=seconds_before)
        self.study = study
        self.repeats_in_a_row = 0  # of the suggestions since the last that was trained
        self._left = under_way(study)  # by an earlier session
        self.gave_up = False  # nothing that was suggested kept the bounds and was new

    def stop(self, trial_id: str, cause: str) -> None:
        """Note that a rung stops a trial, whose end Ray Tune is about to tell."""
        self.running[trial_id].stopped = cause

    def _next_of(self, trial_id: str) -> RunningTrial | None:
        self.repeats_in_a_row = 0
        for _ in range(MOST_IN_A_ROW):
            if (trial := super()._next_of(trial_id)) is not None:
                return trial
        self.gave_up = True
        return None

    def _next(self) -> RunningTrial | None:
        """What the sampler suggests; None where it is out of bounds or known, which the sampler is told."""
        space = self.trials_of.space
        suggestion, known = self._suggestion()
        config = pinned(config_at(suggestion.params, space, self.trials_of.label_range, space.seed))
        bounds = space.bounds.given()
        over = excesses(config, bounds)
        for name, excess in over.items():
            suggestion.set_constraint(name, excess)
        if any(excess > 0 for excess in over.values()):
            tell_out_of_bounds(self.study, suggestion, sentence(config, bounds))
            return None
        before = trained_before(self.study, suggestion.params, suggestion.number)
        if before is not None:
            self.repeats_in_a_row += 1
            tell_repeat(self.study, suggestion, before, name_of(before.number))
            return None
        parent = parent_of_trials(space)
        return RunningTrial(
            name_of(suggestion.number), suggestion, config, known, self.seconds, parent=parent
        )

    def _suggestion(self) -> tuple[optuna.Trial, int]:
        """A suggestion, and how many results the sampler knew when it made it; first what was left."""
        if self._left:
            left = self._left.pop(0)
            return taken_up(self.study, self.trials_of.space, left), results_known(
                self.study, left.datetime_start
            )
        known = results_known(self.study)
        stuck = self.repeats_in_a_row >= AT_RANDOM_AFTER
        return ask(self.study, self.trials_of.space, at_random=stuck), known

    def _announce(self, trial: RunningTrial, ended: TrialResult) -> None:
        assert trial.suggestion is not None
        # These sync the study's journal: there is no row on disk whose suggestion is not.
        if ended.status != "finished":
            trial.suggestion.set_user_attr("cause", ended.cause)
        trial.suggestion.set_user_attr("status", ended.status)

    def _tell(self, trial: RunningTrial, ended: TrialResult) -> None:
        assert trial.suggestion is not None
        tell(self.study, trial.suggestion, trial_row(ended))


class TrialStartCallback(Callback):
    """Passes on that an actor began a trial, or was lost, of which Ray Tune tells callbacks only."""

    def __init__(self, searcher: TrialSearcher) -> None:
        self._searcher = searcher

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """An actor, a new one or one that had a trial before, is ready to train."""
        self._searcher.on_trial_start(trial.trial_id)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """An actor was lost in mid-trial, and Tune will give the trial to another."""
        self._searcher.on_trial_lost(trial.trial_id, why_lost(trial.get_error()))
