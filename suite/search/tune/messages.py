"""What the driver and the actors send each other about a trial; nothing here imports torch."""

from dataclasses import dataclass
from typing import Literal

from suite.runs.layout import CHECKPOINTS
from suite.search.tune.file_server import DriverFiles
from suite.trial import EpochResult, Profile, Status, TrialConfig


@dataclass(frozen=True)
class TrialRequest:
    """What the driver sends to an actor to start a trial, or to go on with it from its last checkpoint."""

    id: str
    config: TrialConfig
    files: DriverFiles
    threads: int
    device: str | None  # None: a GPU where the trial's process has one

    @property
    def checkpoint(self) -> str:
        """Where the run folder has the trial's last checkpoint, if it has one."""
        return checkpoint_name(self.id)


@dataclass(frozen=True)
class TrialReport:
    """What an actor sends back after each epoch, and when a trial ends early."""

    id: str
    ended: bool
    #: "running" until it ended; "not-kept": what it was to leave in the run folder could not be written.
    status: Literal["running", "not-kept"] | Status
    cause: str
    profile: Profile | None
    precision: str
    epoch: EpochResult | None
    began: float  # by the clock of the actor's machine, seconds since 1970, as if it had not been cut
    seconds: float  # of training, those of processes before this one included
    #: In the first report of a process: the epochs that others trained before it. None in those that follow.
    before: tuple[EpochResult, ...] | None = None


def checkpoint_name(trial_id: str) -> str:
    """A trial's checkpoint within the run folder."""
    return f"{CHECKPOINTS}/{trial_id}.pt"
