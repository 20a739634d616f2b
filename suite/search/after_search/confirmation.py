"""The confirmation of a search: its front and what is near it trained again, longer and with new seeds.

A member is on the front in part because its one training was lucky, so its error there is too low (Cawley
and Talbot 2010). A training that took part in the selection cannot correct this, so all that confirm are new.
After few epochs small networks have learnt more of what they can learn than large ones. The trainings that confirm
are therefore longer, and the trials that the noise of single trainings cannot exclude from the front take part.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from search_spaces import SearchSpace, SearchSpaceError, load_dict
from suite.errors import RequestError
from suite.runs.front import confirming_epochs, rows_to_confirm
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of
from suite.search.proposals import Proposal
from suite.search.sharing.elastic_training import slice_for


def left_to_confirm(space: SearchSpace, ledger: RunLedger, info: RunInfo) -> list[Proposal]:
    """Return the confirming trainings that have no row yet: those of the trials that are confirmed so far.

    They come seed by seed, so that every member soon has its first. ``t0007-s3`` is trial t0007 with seed 3,
    ``t0007-s3-e24`` the same for 24 epochs instead of its own, and ``t0007-s3-alone`` the same network trained alone
    where the search shares weights.
    """
    members = rows_to_confirm(ledger.rows, info)
    ended = {row["id"] for row in ledger.rows_of("confirm")}
    trainings = [
        training
        for seed in space.confirming_seeds
        for member in members
        for training in _confirming(space, info, member, seed)
    ]
    return [training for training in trainings if training.id not in ended]


def elastic_seeds_of(trainings: Sequence[Proposal]) -> list[int]:
    """Return the seeds of the elastic networks that confirming trainings start from, ascending."""
    return sorted({training.config.seed for training in trainings if training.slice_of is not None})


def _confirming(
    space: SearchSpace, info: RunInfo, member: Mapping[str, Any], seed: int
) -> Iterator[Proposal]:
    """Yield the trainings that confirm a member with a seed: from a slice, from random weights, or both."""
    epochs = confirming_epochs(member, info, alone=False)
    config = dataclasses.replace(config_of(member), seed=seed, epochs=epochs)
    length = f"-e{epochs}" if epochs != member["epochs"] else ""  # two lengths are two trainings
    training = Proposal(f"{member['id']}-s{seed}{length}", config, stage="confirm", parent=member["id"])
    sharing = space.sharing
    if sharing is None or sharing.confirm != "scratch":
        yield dataclasses.replace(training, slice_of=slice_for(space, seed))
    if sharing is not None and sharing.confirm != "procedure":
        whole = dataclasses.replace(config, epochs=confirming_epochs(member, info, alone=True))
        yield dataclasses.replace(training, id=f"{training.id}-alone", config=whole)


def with_confirmation(space: SearchSpace, changes: Mapping[str, int | str]) -> SearchSpace:
    """Return a resumed search's space with another confirmation.

    Args:
        space: Of the run.
        changes: The fields to change: ``confirm_seeds``, ``confirm_epochs``, ``confirm_neighbours``.

    Raises:
        RequestError: There are fewer seeds than before, the trainings would be shorter than those of the search, or
            the search has no confirmation.
    """
    seeds = changes.get("confirm_seeds", space.confirm_seeds)
    if isinstance(seeds, int) and seeds < space.confirm_seeds:
        raise RequestError(
            f"the search has {space.confirm_seeds} confirming seeds already, and none can be taken back; "
            f"give --confirm-seeds {space.confirm_seeds} or more"
        )
    if seeds == 1 and changes.keys() - {"confirm_seeds"}:
        raise RequestError(
            "the search confirms nothing, as its confirm_seeds is 1; give --confirm-seeds 3 as well"
        )
    options = " ".join(f"--{name.replace('_', '-')}" for name in changes)
    try:
        return load_dict({**space.to_dict(), **changes}, where=options)
    except SearchSpaceError as error:
        raise RequestError(str(error)) from None
