"""Which slices of an elastic network to score: those that NSGA-II proposes (Deb 2002), a generation at a time."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.samplers import NSGAIISampler
from optuna.trial import TrialState

from search_spaces import SearchSpace, Value
from suite.search.sharing.elastic_training import architecture_dimensions, end_of
from suite.search.study.parameters import distribution_of, parameters_of, values_at

#: Slices in a generation.
GENERATION = 50
#: The walk ends after so many generations without a slice that was not known.
MOST_STALE = 5

#: The losses of a slice in the order of the space's objectives; None where it is out of bounds.
Losses = Sequence[float] | None
#: Returns the losses of architectures, each a value for every dimension of widths and depths.
Score = Callable[[Sequence[Mapping[str, Value]]], Sequence[Losses]]


def walk(space: SearchSpace, score: Score) -> Iterator[int]:
    """Propose slices, and have them scored, until the proposals repeat themselves; yield after each generation.

    The walk depends on the seed and the losses alone. To resume it, run it again with the losses that are known.

    Args:
        space: A search space that shares weights.
        score: Called once for each generation.

    Yields:
        How many different architectures were proposed so far.
    """
    optuna.logging.set_verbosity(logging.ERROR)
    sampler = NSGAIISampler(seed=space.seed, population_size=GENERATION)
    study = optuna.create_study(sampler=sampler, directions=["minimize"] * len(space.objectives))
    for choose in (min, max):
        study.enqueue_trial(parameters_of(space, end_of(space, choose)))
    known: set[tuple[tuple[str, Any], ...]] = set()
    stale = 0
    while stale < MOST_STALE:
        before = len(known)
        _generation(study, space, score, known)
        stale = 0 if len(known) > before else stale + 1
        yield len(known)


def _generation(
    study: optuna.Study, space: SearchSpace, score: Score, known: set[tuple[tuple[str, Any], ...]]
) -> None:
    dimensions = architecture_dimensions(space)
    distributions = {name: distribution_of(dimension) for name, dimension in dimensions.items()}
    asked = [study.ask(distributions) for _ in range(GENERATION)]
    points = [values_at(dimensions, trial.params) for trial in asked]
    known.update(tuple(sorted(point.items())) for point in points)
    for trial, losses in zip(asked, score(points), strict=True):
        if losses is None:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, list(losses))
