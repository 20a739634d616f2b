"""The bridge from Ray Tune to a source of trials; the row of every trial is written here.

Ray's own ``OptunaSearch`` is not used, for three reasons: it drops the failure of a trial with a NaN
objective with a log line, it has no name for a trial that the study and the table could share, and it reads
its state for a resumption from a pickle. This searcher has no state to save: it is all in the study's journal
and the run's ledger.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from ray.tune import Callback
from ray.tune.search import Searcher

from suite.errors import RequestError
from suite.runs.folder import gone_error, write_error
from suite.runs.ledger import RunLedger
from suite.search.interrupts import interrupts_held_back
from suite.search.proposals import Proposal, ProposalSource
from suite.search.tune.file_server import DriverFiles
from suite.search.tune.messages import TrialReport, TrialRequest, WorkerGroup, checkpoint_name
from suite.search.tune.worker_loss import why_lost
from suite.trial import EpochResult, Status, TrialResult

#: Called with the searcher when a trial was proposed, began or went on, and with the result of one that ended.
OnChange: TypeAlias = Callable[["TrialSearcher", TrialResult | None], None]


class SearchAbortedError(BaseException):
    """The result of a trial cannot be stored, so nothing more is to be trained.

    It is no ``Exception``, because Ray Tune would take that for a fault of the trial and train it again.

    Attributes:
        error: Why it cannot be stored.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _aborting_when_unwritable() -> Iterator[None]:
    try:
        yield
    except (OSError, RequestError) as error:
        raise SearchAbortedError(error) from error


@dataclass(frozen=True)
class TrialEnvironment:
    """What every trial's process is given.

    Attributes:
        files: The driver's folders.
        threads: Of torch.
        device: To train on; None: a GPU where the process has one.
        group: The workers that train each trial; None: one process does.
    """

    files: DriverFiles
    threads: int
    device: str | None
    group: WorkerGroup | None = None


@dataclass
class RunningTrial:
    """A trial between its proposal and its end; times are seconds since the search began."""

    proposal: Proposal
    proposed_at: float
    begun_at: float | None = None  # when its actor began; None: it waits for one
    last_report: TrialReport | None = None
    last_epoch: EpochResult | None = None
    why_stopped: str | None = None  # by early stopping
    times_lost: int = 0  # worker processes from which another took over
    why_lost: str = "killed"  # the last of them


class TrialSearcher(Searcher):
    """Gives Ray Tune one trial after another, and the ledger the row of each that ended.

    Attributes:
        source: Proposes the trials.
        ledger: Of the run.
        environment: What every trial's process is given.
        running: The trials that have not ended, by Ray Tune's name.
    """

    def __init__(
        self,
        source: ProposalSource,
        ledger: RunLedger,
        environment: TrialEnvironment,
        *,
        on_change: OnChange,
        seconds_before: float = 0.0,
    ) -> None:
        super().__init__()
        self.source = source
        self.ledger = ledger
        self.environment = environment
        self.running: dict[str, RunningTrial] = {}
        self._on_change = on_change
        self._zero = time.monotonic() - seconds_before
        self._zero_by_the_clock = time.time() - seconds_before

    @property
    def seconds(self) -> float:
        """Wall time of the search, its earlier sessions included."""
        return time.monotonic() - self._zero

    def suggest(self, trial_id: str) -> dict[str, Any] | str:  # type: ignore[override]  # as Ray documents it
        """Return the configuration of Ray Tune's trial ``trial_id``; ``FINISHED`` where there is none."""
        with _aborting_when_unwritable():
            proposal = self._next_proposal(trial_id)
        if proposal is None:
            finished: str = Searcher.FINISHED
            return finished
        request = TrialRequest(
            id=proposal.id,
            config=proposal.config,
            files=self.environment.files,
            threads=self.environment.threads,
            device=self.environment.device,
            elastic=proposal.elastic,
            slice_of=proposal.slice_of,
            group=self.environment.group,
        )
        return {"request": request}

    def stop(self, trial_id: str, cause: str) -> None:
        """Note why early stopping ends a trial, before Ray Tune reports its end."""
        self.running[trial_id].why_stopped = cause

    def on_trial_start(self, trial_id: str) -> None:
        """Note that an actor began a trial."""
        trial = self.running.get(trial_id)
        if trial is not None:
            trial.begun_at = self.seconds
            self._on_change(self, None)

    def on_trial_lost(self, trial_id: str, why: str) -> None:
        """Note that a trial's process was lost; another will take over."""
        trial = self.running.get(trial_id)
        if trial is not None:
            trial.times_lost, trial.why_lost, trial.begun_at = trial.times_lost + 1, why, None
            self._on_change(self, None)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Record an epoch of a trial.

        Raises:
            SearchAbortedError: The run folder cannot be written to.
        """
        trial = self.running.get(trial_id)
        if trial is not None:
            with _aborting_when_unwritable():
                self._record(trial, result["report"])
                self.ledger.note_clock(self.seconds)
            self._on_change(self, None)

    @interrupts_held_back()
    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Record the end of a trial, which ended by itself or because its process died too often.

        Raises:
            SearchAbortedError: The run folder cannot be written to; a trial without a row counts as running.
        """
        trial = self.running.get(trial_id)
        if trial is None:
            return
        report: TrialReport | None = (result or {}).get("report")
        if report is not None and report is not trial.last_report:
            self._record(trial, report)
        if report is not None and report.status == "not-saved":
            folder = self.ledger.folder
            raise SearchAbortedError(
                gone_error(folder) if self.ledger.is_gone else write_error(folder, report.cause)
            )
        del self.running[trial_id]
        ended = self._result(trial)
        with _aborting_when_unwritable():
            self.source.before_row(ended)
            self.ledger.add_trial(ended)
            self.source.after_row(ended)
            (self.ledger.folder / checkpoint_name(ended.id)).unlink(missing_ok=True)
        self._on_change(self, ended)

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the journal and the ledger hold the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing: the journal and the ledger hold the state."""

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing. Tune pickles its settings, and what watches the search need not be picklable."""
        return {}

    def _next_proposal(self, trial_id: str) -> Proposal | None:
        """Return the trial to train next, which counts as running from here on; None where there is none."""
        while not self.source.exhausted:
            with interrupts_held_back():
                proposal = self.source.propose()
                if proposal is not None:
                    self.running[trial_id] = RunningTrial(proposal, self.seconds)
            self._on_change(self, None)
            if proposal is not None:
                return proposal
        return None

    def _record(self, trial: RunningTrial, report: TrialReport) -> None:
        trial.last_report = report
        name, attribute = trial.proposal.id, trial.proposal.config.attribute
        if report.earlier_epochs is not None:
            self.ledger.begin_trial(name, report.earlier_epochs, attribute)
            trial.last_epoch = report.earlier_epochs[-1] if report.earlier_epochs else None
        if report.epoch is not None:
            trial.last_epoch = report.epoch
            self.ledger.add_epoch(name, report.epoch, attribute)

    def _result(self, trial: RunningTrial) -> TrialResult:
        proposal, report, epoch = trial.proposal, trial.last_report, trial.last_epoch
        status, cause = _outcome(trial)
        begun_at = trial.proposed_at if trial.begun_at is None else trial.begun_at
        return TrialResult(
            id=proposal.id,
            stage=proposal.stage,
            config=proposal.config,
            status=status,
            cause=cause,
            profile=report.profile if report else None,
            validation=epoch.validation if epoch else None,
            epochs_run=epoch.epoch if epoch else 0,
            seconds=report.seconds if report else self.seconds - begun_at,
            precision=report.precision if report else "",
            trials_known=proposal.trials_known,
            started=max(0.0, report.began - self._zero_by_the_clock) if report else begun_at,
            parent=proposal.parent,
            slice_of=None if proposal.slice_of is None else proposal.slice_of.elastic,
        )


def _outcome(trial: RunningTrial) -> tuple[Status, str]:
    """Return the status of a trial that ended, and its cause."""
    report = trial.last_report
    if trial.why_stopped is not None:
        return "stopped", trial.why_stopped
    if report is not None and report.ended:
        return report.status, report.cause  # type: ignore[return-value]  # neither running nor not-saved
    times = "" if trial.times_lost == 0 else f" {trial.times_lost + 1} times"
    return "failed", f"its worker process was lost{times} ({trial.why_lost}); Ray's errors are below tune/"


class TrialStartCallback(Callback):
    """Notifies the searcher that an actor began a trial or was lost, which Ray Tune reports to callbacks only."""

    def __init__(self, searcher: TrialSearcher) -> None:
        self._searcher = searcher

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that an actor, new or reused, is ready to train."""
        self._searcher.on_trial_start(trial.trial_id)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that an actor was lost during a trial, which Tune will give to another."""
        self._searcher.on_trial_lost(trial.trial_id, why_lost(trial.get_error()))
