"""After the search: the front's members are trained again, with seeds that the search has not seen.

A member is on the front in part because its one training was lucky, so that its error there is too low
(Cawley and Talbot 2010). A training that was chosen cannot mend this: all that confirm are new ones.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from search_spaces import SearchSpace, SearchSpaceError, load_dict
from suite.errors import RequestError
from suite.runs.front import front_rows
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of
from suite.search.tune.searcher import RunningTrial, TrialSearcher, TrialsOf
from suite.trial import TrialConfig, TrialResult


@dataclass(frozen=True)
class Confirming:
    """A training to come: a member of the front, but for its seed."""

    parent: str
    config: TrialConfig

    @property
    def id(self) -> str:
        """Its name in the run folder: ``t0007-s3`` is trial t0007 with seed 3."""
        return f"{self.parent}-s{self.config.seed}"


def left_to_confirm(space: SearchSpace, ledger: RunLedger, info: RunInfo) -> list[Confirming]:
    """The confirming trainings that have no row yet, seed by seed, so that every member gets its first soon.

    Of a search that has not all of its trials yet it is those of the front so far.
    """
    members = front_rows(ledger.rows, info.objectives, info.error_column)
    ended = {row["id"] for row in ledger.rows_of("confirm")}
    wanted = [
        Confirming(member["id"], dataclasses.replace(config_of(member), seed=seed))
        for seed in space.confirming_seeds
        for member in members
    ]
    return [training for training in wanted if training.id not in ended]


def with_confirm_seeds(space: SearchSpace, seeds: int) -> SearchSpace:
    """The space of a search that goes on, with so many seeds that its front is trained again with.

    Raises:
        RequestError: fewer than before, or the search has no confirmation.
    """
    if seeds < space.confirm_seeds:
        raise RequestError(
            f"the search has {space.confirm_seeds} confirming seeds so far, and none is left out "
            f"again; give --confirm-seeds {space.confirm_seeds} or more"
        )
    try:
        return load_dict({**space.to_dict(), "confirm_seeds": seeds}, where="--confirm-seeds")
    except SearchSpaceError as error:
        raise RequestError(str(error)) from None


class ConfirmingSearcher(TrialSearcher):
    """Hands out confirming trainings in their order. No study hears of them: they suggest nothing."""

    def __init__(
        self,
        todo: Sequence[Confirming],
        ledger: RunLedger,
        trials_of: TrialsOf,
        *,
        on_change: Callable[[TrialSearcher, TrialResult | None], None],
        seconds_before: float = 0.0,
    ) -> None:
        super().__init__(ledger, trials_of, on_change=on_change, seconds_before=seconds_before)
        self._todo = iter(todo)

    def _next(self) -> RunningTrial:
        training = next(self._todo)
        return RunningTrial(
            id=training.id,
            suggestion=None,
            config=training.config,
            trials_known=0,
            suggested=self.seconds,
            stage="confirm",
            parent=training.parent,
        )
