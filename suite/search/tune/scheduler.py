"""Early stopping as Ray Tune asks for it: a shell around the rule, which decides."""

from collections.abc import Callable
from typing import Any

from ray.tune.schedulers import FIFOScheduler

from suite.search.stopping.early_stopping import COSTS, ERROR, EarlyStopping
from suite.search.tune.messages import TrialReport


class StoppingScheduler(FIFOScheduler):
    """Runs trials in the order in which they were suggested, and stops those that a rule lets go.

    Ray's own ASHA takes one metric, and its state would be lost with the driver.
    """

    def __init__(self, stopping: EarlyStopping, on_stop: Callable[[str, str], None]) -> None:
        """``on_stop`` is told Ray Tune's name of a trial and the cause, before the trial ends."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._stopping = stopping
        self._on_stop = on_stop

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether a trial goes on after an epoch."""
        cause = self._record(result["report"])
        if cause is None:
            return self.CONTINUE
        self._on_stop(trial.trial_id, cause)
        return self.STOP

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """A trial ended by itself; what it came to is what others are compared with."""
        if (report := result.get("report")) is not None and report.status == "finished":
            self._record(report)

    def _record(self, report: TrialReport) -> str | None:
        if report.profile is None:
            return None
        costs = {name: float(getattr(report.profile, name)) for name in COSTS}
        for epoch in report.before or ():  # of a process before this one: it went on then
            self._stopping.why_stop(report.id, epoch.epoch, {ERROR: epoch.validation.mae, **costs})
        if report.epoch is None:
            return None
        losses = {ERROR: report.epoch.validation.mae, **costs}
        return self._stopping.why_stop(report.id, report.epoch.epoch, losses)
