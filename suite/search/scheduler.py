"""Early stopping as Ray Tune asks for it: a shell around the rungs, which decide."""

from collections.abc import Callable
from typing import Any

from ray.tune.schedulers import FIFOScheduler

from suite.search.messages import TrialReport
from suite.search.rungs import COSTS, ERROR, Rungs


class RungScheduler(FIFOScheduler):
    """Runs trials in the order in which they were suggested, and stops those that a rung lets go.

    Ray's own ASHA takes one metric, and its state would be lost with the driver.
    """

    def __init__(self, rungs: Rungs, on_stop: Callable[[str, str], None]) -> None:
        """``on_stop`` is told Ray Tune's name of a trial and the cause, before the trial ends."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._rungs = rungs
        self._on_stop = on_stop

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether a trial goes on after an epoch."""
        report: TrialReport = result["report"]
        if report.profile is None:
            return self.CONTINUE
        costs = {name: float(getattr(report.profile, name)) for name in COSTS}
        for epoch in report.before or ():  # of a process before this one: it went on then
            self._rungs.enter(report.id, epoch.epoch, {ERROR: epoch.validation.mae, **costs})
        if report.ended or report.epoch is None:
            return self.CONTINUE
        losses = {ERROR: report.epoch.validation.mae, **costs}
        verdict = self._rungs.enter(report.id, report.epoch.epoch, losses)
        if verdict is None or verdict.goes_on:
            return self.CONTINUE
        self._on_stop(trial.trial_id, self._rungs.cause(report.epoch.epoch, verdict))
        return self.STOP
