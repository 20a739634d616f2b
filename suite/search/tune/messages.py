"""What the driver and the actors send each other about a trial; nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from suite.runs.layout import CHECKPOINTS
from suite.search.proposals import ElasticTraining, Slice
from suite.search.tune.file_server import DriverFiles
from suite.trial import EpochResult, Profile, Status, TrialConfig


@dataclass(frozen=True)
class WorkerGroup:
    """The workers of Ray Train that share the images of each step of one training.

    Attributes:
        size: How many there are; fewer while a node of the cluster is missing.
        share: Ray resources of each.
    """

    size: int
    share: Mapping[str, float]


@dataclass(frozen=True)
class TrialRequest:
    """The driver's request to an actor to train a trial, from its last checkpoint where it has one.

    Attributes:
        id: Of the trial.
        config: What to train.
        files: The driver's folders.
        threads: Of torch.
        device: To train on; None: a GPU where the trial's process has one.
        elastic: How to train an elastic network; None: a network of its own.
        slice_of: The slice that the training starts from; None: it starts from none.
        group: The workers that train it; None: the process that gets the request.
    """

    id: str
    config: TrialConfig
    files: DriverFiles
    threads: int
    device: str | None
    elastic: ElasticTraining | None = None
    slice_of: Slice | None = None
    group: WorkerGroup | None = None

    @property
    def checkpoint(self) -> str:
        """Name of the trial's last checkpoint within the run folder, which may not exist."""
        return checkpoint_name(self.id)


@dataclass(frozen=True)
class TrialReport:
    """An actor's report after each epoch, and when a trial ends early.

    Attributes:
        id: Of the trial.
        ended: The trial has ended.
        status: "running" until the end; "not-saved": a file of the run folder could not be written.
        cause: One sentence where the trial did not finish; else empty.
        profile: Costs of the network; None before they are counted.
        precision: That the training computes in; empty before it starts.
        epoch: That has just ended; None where none has.
        began: When the training began, seconds since 1970 by the clock of the actor's machine. After a loss
            it is moved, as if the training had not been interrupted.
        seconds: Of training, those of earlier processes included.
        earlier_epochs: In the first report of a process, the epochs that earlier processes trained; None in
            its other reports.
    """

    id: str
    ended: bool
    status: Literal["running", "not-saved"] | Status
    cause: str
    profile: Profile | None
    precision: str
    epoch: EpochResult | None
    began: float
    seconds: float
    earlier_epochs: tuple[EpochResult, ...] | None = None


def weights_name(trial_id: str) -> str:
    """Return the name of a trial's weights within the run folder."""
    return f"weights/{trial_id}.safetensors"


def checkpoint_name(trial_id: str) -> str:
    """Return the name of a trial's checkpoint within the run folder."""
    return f"{CHECKPOINTS}/{trial_id}.pt"
