"""A trial to be trained, and where the trials of a stage come from. Neither Ray nor Optuna is needed here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from suite.trial import Stage, TrialConfig, TrialResult


@dataclass(frozen=True)
class ElasticTraining:
    """The training of one network whose slices are the networks of a space.

    Attributes:
        widths: The channels that each stage may have.
        depths: The convolutions that each stage may have.
        random_slices: Of each step.
        distillation: Share of a slice's loss that compares it with the largest network.
        recalibration_images: Training images that batch-norm statistics are measured on.
    """

    widths: tuple[tuple[int, ...], ...]
    depths: tuple[tuple[int, ...], ...]
    random_slices: int
    distillation: float
    recalibration_images: int


@dataclass(frozen=True)
class Slice:
    """A network of a trial's widths and depths, cut out of an elastic network.

    Attributes:
        elastic: Id of the elastic training.
        recalibration_images: Training images that its batch-norm statistics are measured on.
    """

    elastic: str
    recalibration_images: int


@dataclass(frozen=True)
class Proposal:
    """A trial to be trained.

    Attributes:
        id: Its name in the run folder.
        config: What to train.
        stage: What it is trained for.
        parent: Id of the trial that it is derived from; None for a trial of its own.
        slice_of: The slice that it starts from; None: it starts from none.
        elastic: How to train the elastic network of several architectures; None: a network of its own.
        trials_known: Results that the sampler had when it proposed this trial.
    """

    id: str
    config: TrialConfig
    stage: Stage = "search"
    parent: str | None = None
    slice_of: Slice | None = None
    elastic: ElasticTraining | None = None
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


class ListedProposals:
    """Proposes trainings that are known beforehand, in their order. Nothing is learnt from them."""

    def __init__(self, trainings: Iterable[Proposal]) -> None:
        self._left = list(trainings)

    @property
    def exhausted(self) -> bool:
        """Whether all have been proposed."""
        return not self._left

    def propose(self) -> Proposal:
        """Return the next training."""
        return self._left.pop(0)

    def before_row(self, result: TrialResult) -> None:
        """Do nothing."""

    def after_row(self, result: TrialResult) -> None:
        """Do nothing."""
