"""How a search stands: what a person who watches it wants to know."""

from dataclasses import dataclass
from typing import Protocol

from suite.trial import Stage, TrialResult


@dataclass(frozen=True)
class SearchProgress:
    """Counts, the best error, the front and the time left."""

    asked: int
    finished: int
    running: int
    stopped: int  # early, by a rung
    lost: int  # ended without a result: diverged or failed
    share_done: float  # of all the training that was asked for, in epochs, 0..1
    best_mae: float  # NaN before the first result
    unit: str  # of best_mae
    front: int  # members of the front so far
    seconds: float  # wall time since the search began
    seconds_left: float  # NaN before the first epoch
    stage: Stage = "search"  # what the trials counted here are trained for


class Watcher(Protocol):
    """Somebody who watches a search."""

    def stage(self, sentence: str) -> None:
        """A new stage of the work begins."""

    def change(self, standing: SearchProgress, ended: TrialResult | None) -> None:
        """A trial began, went on, or (``ended``) ended."""

    def advance(self, done: int, of: int) -> None:
        """So many steps of the stage are done, after the trials."""

    def close(self) -> None:
        """Nothing more will come."""
