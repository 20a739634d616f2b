"""The confirmation of a search: its front's members trained again with seeds that the search has not used.

A member is on the front in part because its one training was lucky, so its error there is too low (Cawley
and Talbot 2010). A training that took part in the selection cannot correct this, so all that confirm are new.
"""

import dataclasses
from collections.abc import Sequence

from search_spaces import SearchSpace, SearchSpaceError, load_dict
from suite.errors import RequestError
from suite.runs.front import front_rows
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of
from suite.search.proposals import Proposal
from suite.trial import TrialResult


def left_to_confirm(space: SearchSpace, ledger: RunLedger, info: RunInfo) -> list[Proposal]:
    """Return the confirming trainings that have no row yet: those of the front so far.

    They come seed by seed, so that every member soon has its first. ``t0007-s3`` is trial t0007 with seed 3.
    """
    members = front_rows(ledger.rows, info.objectives, info.error_column)
    ended = {row["id"] for row in ledger.rows_of("confirm")}
    trainings = [
        Proposal(
            id=f"{member['id']}-s{seed}",
            config=dataclasses.replace(config_of(member), seed=seed),
            stage="confirm",
            parent=member["id"],
        )
        for seed in space.confirming_seeds
        for member in members
    ]
    return [training for training in trainings if training.id not in ended]


def with_confirm_seeds(space: SearchSpace, seeds: int) -> SearchSpace:
    """Return a resumed search's space with another number of confirming seeds.

    Raises:
        RequestError: It is lower than before, or the search has no confirmation.
    """
    if seeds < space.confirm_seeds:
        raise RequestError(
            f"the search has {space.confirm_seeds} confirming seeds already, and none can be taken back; "
            f"give --confirm-seeds {space.confirm_seeds} or more"
        )
    try:
        return load_dict({**space.to_dict(), "confirm_seeds": seeds}, where="--confirm-seeds")
    except SearchSpaceError as error:
        raise RequestError(str(error)) from None


class ConfirmationProposals:
    """Proposes the confirming trainings in their order. The study is not notified of them."""

    def __init__(self, trainings: Sequence[Proposal]) -> None:
        self._left = list(trainings)

    @property
    def exhausted(self) -> bool:
        """Whether all have been proposed."""
        return not self._left

    def propose(self) -> Proposal:
        """Return the next training."""
        return self._left.pop(0)

    def before_row(self, result: TrialResult) -> None:
        """Do nothing: nothing is learnt from the confirmation."""

    def after_row(self, result: TrialResult) -> None:
        """Do nothing: nothing is learnt from the confirmation."""
