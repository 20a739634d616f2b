"""What ``suite report`` prints of a run that shares weights: the numbers of its section, as lines of plain text."""

import math
from collections.abc import Iterator

from reports import formatting
from reports.model.confirmation_agreement import agreement
from reports.model.elastic_cost import ElasticCost
from reports.model.growth import Growth, Spent, growth
from reports.model.shared_weights import SharedWeights, shared_weights
from reports.model.sharing_text import (
    agreement_ranking_sentence,
    agreement_sentence,
    confirmation_sentence,
    ranking_sentence,
)
from reports.model.trials import summarise
from suite.runs.info import RunInfo
from suite.runs.tables import Run

#: The search has one elastic training; a table that somebody else wrote may have any number.
MOST_TRAININGS = 10


def sharing_lines(run: Run) -> list[str]:
    """Return the lines; none where the networks share no weights."""
    summary = summarise(run)
    shared = shared_weights(run, summary)
    if shared is None:
        return []
    lines = [*_cost(shared, run.info), ranking_sentence(shared)]
    lines += _volumes(growth(run.info, summary, shared))
    lines += filter(None, [confirmation_sentence(run.info)])
    if agreed := agreement(run, summary):
        lines += [agreement_sentence(agreed, run.info.unit), agreement_ranking_sentence(agreed)]
    return [line.replace("\u00a0", " ") for line in lines]


def _cost(shared: SharedWeights, info: RunInfo) -> Iterator[str]:
    for training in shared.elastic[:MOST_TRAININGS]:
        yield f"Elastic training {training.id}: {_training(training, info)}."
    if shared.confirming:
        epochs = sum(training.network_epochs for training in shared.confirming)
        count = formatting.count(len(shared.confirming), "further elastic training")
        yield f"{count} of the confirmation: {epochs:,} epochs of networks trained."
    if shared.missing:
        yield shared.missing
    else:
        yield f"{formatting.count(len(shared.slices), 'slice')} scored, {len(shared.front):,} on their own front."


def _training(training: ElasticCost, info: RunInfo) -> str:
    spent = _spent(Spent(training.network_epochs, training.forward_macs))
    each = f"{formatting.count(training.epochs, 'epoch')} of {training.networks} networks a step, {spent}"
    error = f", its largest network at {formatting.error_with_unit(training.val_mae, info.unit)}"
    return f"{each}, {training.status}{error if math.isfinite(training.val_mae) else ''}"


def _spent(spent: Spent) -> str:
    macs = f" and {formatting.quantity(spent.macs)} multiply-adds of forward passes" if spent.macs > 0 else ""
    return f"{spent.epochs:,} epochs of networks trained{macs}"


def _volumes(grown: Growth | None) -> Iterator[str]:
    if grown is None:
        return
    if grown.slices is not None:
        yield f"Hypervolume of the slices as they are: {grown.slices.share:.3f} after {_spent(grown.slices.spent)}."
    yield f"Hypervolume of the search's front: {grown.shares[-1]:.3f} after {_spent(grown.spent[-1])}."
