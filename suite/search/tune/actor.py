"""The trial actor: a Ray process that trains one trial after another, one epoch per step."""

from typing import Any

from ray import tune

from suite.search.tune.trial_training import TrialTraining
from suite.training.checkpoints import CheckpointTimer


class TrialActor(TrialTraining, tune.Trainable):
    """Trains the trial of each request.

    Ray Tune reuses the process for the next trial through ``reset_config``, so that torch is imported and
    the data opened only once.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Prepare for the first trial."""
        self._checkpoint_timer = CheckpointTimer()
        self.begin(config["request"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Prepare for the next trial in the same process."""
        self.begin(new_config["request"])
        return True

    def step(self) -> dict[str, Any]:
        """Train an epoch and report it; a failure is reported, not raised."""
        report = self.next_report()
        return {"report": report, "done": report.ended}
