"""A trial to be trained, and where the trials of a stage come from. Neither Ray nor Optuna is needed here."""

from dataclasses import dataclass
from typing import Protocol

from suite.trial import Stage, TrialConfig, TrialResult


@dataclass(frozen=True)
class Proposal:
    """A trial to be trained.

    Attributes:
        id: Its name in the run folder.
        config: What to train.
        stage: What it is trained for.
        parent: Id of the trial that it is derived from; None for a trial of its own.
        trials_known: Results that the sampler had when it proposed this trial.
    """

    id: str
    config: TrialConfig
    stage: Stage = "search"
    parent: str | None = None
    trials_known: int = 0


class ProposalSource(Protocol):
    """Where the trials of a stage come from."""

    @property
    def exhausted(self) -> bool:
        """Whether no further trial will be proposed."""
        ...

    def propose(self) -> Proposal | None:
        """Return the next trial to train; None where the one considered is not worth training."""
        ...

    def before_row(self, result: TrialResult) -> None:
        """Record how a trial ended, before its row is written. A kill after this call leaves it running."""
        ...

    def after_row(self, result: TrialResult) -> None:
        """Learn from a trial whose row has been written."""
        ...
