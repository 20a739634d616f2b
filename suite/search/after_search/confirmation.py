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
from suite.search.sharing.elastic_training import slice_for
from suite.trial import TrialConfig


def left_to_confirm(space: SearchSpace, ledger: RunLedger, info: RunInfo) -> list[Proposal]:
    """Return the confirming trainings that have no row yet: those of the front so far.

    They come seed by seed, so that every member soon has its first. ``t0007-s3`` is trial t0007 with seed 3.
    """
    members = front_rows(ledger.rows, info.objectives, info.error_column)
    ended = {row["id"] for row in ledger.rows_of("confirm")}
    alone = 0  # epochs that a training without a slice has more
    if space.sharing is not None and space.sharing.confirm == "scratch":
        alone = space.sharing.epochs
    trainings = [
        Proposal(
            id=f"{member['id']}-s{seed}",
            config=_confirming(config_of(member), seed, more_epochs=alone),
            stage="confirm",
            parent=member["id"],
            slice_of=None if alone else slice_for(space, seed),
        )
        for seed in space.confirming_seeds
        for member in members
    ]
    return [training for training in trainings if training.id not in ended]


def elastic_seeds_of(trainings: Sequence[Proposal]) -> list[int]:
    """Return the seeds of the elastic networks that confirming trainings start from, ascending."""
    return sorted({training.config.seed for training in trainings if training.slice_of is not None})


def _confirming(config: TrialConfig, seed: int, more_epochs: int) -> TrialConfig:
    return dataclasses.replace(config, seed=seed, epochs=config.epochs + more_epochs)


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
