"""The confirmation of a search: its front's members trained again with seeds that the search has not used.

A member is on the front in part because its one training was lucky, so its error there is too low (Cawley
and Talbot 2010). A training that took part in the selection cannot correct this, so all that confirm are new.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from search_spaces import SearchSpace, SearchSpaceError, load_dict
from suite.errors import RequestError
from suite.runs.front import front_rows
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of
from suite.search.proposals import Proposal
from suite.search.sharing.elastic_training import slice_for


def left_to_confirm(space: SearchSpace, ledger: RunLedger, info: RunInfo) -> list[Proposal]:
    """Return the confirming trainings that have no row yet: those of the front so far.

    They come seed by seed, so that every member soon has its first. ``t0007-s3`` is trial t0007 with seed 3, and
    ``t0007-s3-alone`` the same network trained alone where the search shares weights.
    """
    members = front_rows(ledger.rows, info.objectives, info.error_column, info.most)
    ended = {row["id"] for row in ledger.rows_of("confirm")}
    trainings = [
        training
        for seed in space.confirming_seeds
        for member in members
        for training in _confirming(space, member, seed)
    ]
    return [training for training in trainings if training.id not in ended]


def elastic_seeds_of(trainings: Sequence[Proposal]) -> list[int]:
    """Return the seeds of the elastic networks that confirming trainings start from, ascending."""
    return sorted({training.config.seed for training in trainings if training.slice_of is not None})


def _confirming(space: SearchSpace, member: Mapping[str, Any], seed: int) -> Iterator[Proposal]:
    """Yield the trainings that confirm a member with a seed: from a slice, from random weights, or both."""
    config, sharing = dataclasses.replace(config_of(member), seed=seed), space.sharing
    training = Proposal(f"{member['id']}-s{seed}", config, stage="confirm", parent=member["id"])
    if sharing is None or sharing.confirm != "scratch":
        yield dataclasses.replace(training, slice_of=slice_for(space, seed))
    if sharing is not None and sharing.confirm != "procedure":
        whole = dataclasses.replace(config, epochs=sharing.epochs + config.epochs)
        yield dataclasses.replace(training, id=f"{training.id}-alone", config=whole)


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
