"""Weight sharing in numbers: what it cost, its slices, and how well their errors rank the fine-tuned networks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.model.cells import rows_of
from reports.model.elastic_cost import ElasticCost, elastic_cost
from reports.model.portable import portable_sentence
from reports.model.trials import FrontSummary, Trial
from suite.files.reading import FileContentError
from suite.presets import Architecture
from suite.runs.info import SharingUsed
from suite.runs.layout import SCORED
from suite.runs.scored_slices import ScoredSlice, read_slices, scored_front
from suite.runs.tables import Run
from suite.statistics.rank_correlation import RankCorrelation, rank_correlation


@dataclass(frozen=True)
class Pair:
    """A trial by its id: the validation MAE of its slice as it was, and its own after fine-tuning."""

    trial: str
    sliced: float
    tuned: float


@dataclass(frozen=True)
class SharedWeights:
    """A search whose trials start from the slices of an elastic network.

    Attributes:
        asked: What the search space says of it.
        elastic: The elastic trainings that the search's trials start from; one, as far as it has ended.
        confirming: Those of the confirming seeds.
        slices: The scored slices, in the order of the proposals; empty if they are unknown.
        front: Those that no other one dominates, by ascending parameters.
        missing: Why the slices are unknown, as a sentence; empty if they are not.
        pairs: The finished trials whose slice was scored.
        unscored: Finished trials that started from a slice that was not.
        ranking: How well the slices' errors rank the trials'; None of too few pairs.
        scoring_macs: Multiply-adds of the forward passes that scored the slices.
    """

    asked: SharingUsed
    elastic: tuple[ElasticCost, ...]
    confirming: tuple[ElasticCost, ...]
    slices: tuple[ScoredSlice, ...]
    front: tuple[ScoredSlice, ...]
    missing: str
    pairs: tuple[Pair, ...]
    unscored: int
    ranking: RankCorrelation | None
    scoring_macs: float


def shared_weights(run: Run, summary: FrontSummary) -> SharedWeights | None:
    """Return what a run says of its weight sharing; None if its networks share no weights."""
    info = run.info
    if info.sharing is None:
        return None
    trainings = [elastic_cost(row, info) for row in rows_of(run, "elastic")]
    started = {trial.slice_of for trial in summary.trials if trial.slice_of}
    of_search = tuple(t for t in trainings if t.id in started or t.seed == info.seed)
    slices, missing = _slices(run)
    pairs, unscored = paired(summary.trials, slices)
    images = info.sharing.recalibration_images + info.data.val_images
    return SharedWeights(
        asked=info.sharing,
        elastic=of_search,
        confirming=tuple(training for training in trainings if training not in of_search),
        slices=slices,
        front=tuple(scored_front(slices, info.objectives)),
        missing=missing,
        pairs=pairs,
        unscored=unscored,
        ranking=rank_correlation([pair.sliced for pair in pairs], [pair.tuned for pair in pairs]),
        scoring_macs=math.fsum(one.macs for one in slices) * images,
    )


def paired(trials: Sequence[Trial], slices: Sequence[ScoredSlice]) -> tuple[tuple[Pair, ...], int]:
    """Return the finished trials with their slices' errors, and how many more started from an unscored slice."""
    errors = {one.architecture: one.val_mae for one in slices}
    tuned = [trial for trial in trials if trial.finished and trial.slice_of and trial.is_compact]
    known = [(t, errors.get(Architecture(t.widths, t.depths), math.nan)) for t in tuned]
    pairs = tuple(Pair(t.id, error, t.val_mae) for t, error in known if math.isfinite(error))
    return pairs, len(tuned) - len(pairs)


def _slices(run: Run) -> tuple[tuple[ScoredSlice, ...], str]:
    """Return the scored slices, or none and why."""
    try:
        return tuple(read_slices(run.folder / SCORED, run.info.unit)), ""
    except FileNotFoundError:
        return (), f"There is no {SCORED} yet, or this report was made without the run's folder."
    except FileContentError as error:
        reason = portable_sentence(str(error)[:200])
        return (), f"{SCORED} cannot be read ({reason}), so its slices are not shown."
