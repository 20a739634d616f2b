"""The progress of a search, and the interface of those who watch it."""

from dataclasses import dataclass
from typing import Protocol

from suite.trial import Stage, TrialResult


@dataclass(frozen=True)
class TrainingProgress:
    """How far one running trial is.

    Attributes:
        id: Of the trial.
        epoch: The last epoch that ended; 0 before the first.
        epochs: Of the trial.
        mae: The validation MAE after that epoch, in label units; NaN before the first.
    """

    id: str
    epoch: int
    epochs: int
    mae: float


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is.

    Attributes:
        requested: How many trials were requested.
        finished: How many trials have finished.
        running: How many trials are running.
        stopped: How many trials early stopping has ended.
        lost: How many trials ended without a result, because they diverged or failed.
        share_done: The share of all requested epochs that is done, from 0 to 1.
        best_mae: The smallest validation MAE; NaN before the first result.
        unit: The unit of ``best_mae``.
        front: How many members the front has so far.
        seconds: Wall time since the search began.
        seconds_left: The estimated time left; NaN before the first epoch.
        stage: The stage of the trials counted here.
        trainings: The trials that are running.
    """

    requested: int
    finished: int
    running: int
    stopped: int
    lost: int
    share_done: float
    best_mae: float
    unit: str
    front: int
    seconds: float
    seconds_left: float
    stage: Stage = "search"
    trainings: tuple[TrainingProgress, ...] = ()


class Watcher(Protocol):
    """Receives the progress of a search, to show it or to act on it."""

    def stage(self, sentence: str) -> None:
        """Note that a new stage of the work begins, described by a sentence."""

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Note that a trial has begun, made progress, or, if ``ended`` is given, ended."""

    def advance(self, done: int, of: int) -> None:
        """Note how many steps of a stage after the trials are done."""

    def close(self) -> None:
        """Note that the work has ended."""
