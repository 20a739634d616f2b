"""Early stopping as Ray Tune calls it: a shell around the rule, which decides."""

from collections.abc import Callable
from typing import Any

from ray.tune.schedulers import FIFOScheduler

from suite.search.stopping.early_stopping import COSTS, EarlyStopping, errors_of
from suite.search.tune.messages import TrialReport


class StoppingScheduler(FIFOScheduler):
    """Runs trials in the order in which they were proposed, and ends those that a rule stops.

    Ray's own ASHA takes one metric, and its state would be lost with the driver.
    """

    def __init__(self, stopping: EarlyStopping, on_stop: Callable[[str, str], None]) -> None:
        """Set the rule, and what is called before it ends a trial.

        Args:
            stopping: The rule.
            on_stop: Called with Ray Tune's name of the trial and the cause.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._stopping = stopping
        self._on_stop = on_stop

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Decide whether a trial goes on after an epoch."""
        cause = self._record(result["report"])
        if cause is None:
            return self.CONTINUE
        self._on_stop(trial.trial_id, cause)
        return self.STOP

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Record a trial that trained to its end, which others are compared with."""
        if (report := result.get("report")) is not None and report.status == "finished":
            self._record(report)

    def _record(self, report: TrialReport) -> str | None:
        """Record the epochs of a report; return why its trial is stopped, or None."""
        if report.profile is None:
            return None
        costs = {name: float(getattr(report.profile, name)) for name in COSTS}
        for epoch in report.earlier_epochs or ():  # the trial went on after each of them
            self._stopping.why_stop(report.id, epoch.epoch, {**errors_of(epoch.validation), **costs})
        if report.epoch is None:
            return None
        losses = {**errors_of(report.epoch.validation), **costs}
        return self._stopping.why_stop(report.id, report.epoch.epoch, losses)
