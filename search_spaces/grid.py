"""A grid: every combination of what varies, each trained with the same seeds.

The order is part of the contract, because a limit on ``trials`` cuts it off. It goes seed by seed, and within a
seed the last dimension changes fastest. A grid that was cut off or interrupted therefore consists of rounds in
which every combination was trained with the same seed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from search_spaces.dimensions import Choices, Dimension, FloatRange, IntRange, Value
from search_spaces.problems import Problem
from search_spaces.space import SearchSpace

#: The most that ``trials`` may ask for.
MOST_TRIALS = 1_000_000


@dataclass(frozen=True)
class GridTrial:
    """A combination, under the names of ``SearchSpace.dimensions``, and the seed of its training."""

    values: Mapping[str, Value]
    seed: int


def grid_trials(space: SearchSpace) -> Iterator[GridTrial]:
    """Yield all trials of a grid in their order; the first ``space.trials`` of them are trained.

    Raises:
        ValueError: A dimension is a range of numbers, which has no finite list of values.
    """
    dimensions = space.dimensions()
    listed = [_listed(dimension) for dimension in dimensions.values()]
    for seed in range(space.seed, space.seed + space.seeds):
        for values in product(*listed):
            yield GridTrial(dict(zip(dimensions, values, strict=True)), seed)


def check_grid(space: SearchSpace, *, trials_given: bool) -> SearchSpace | list[Problem]:
    """Return the space, with the number of trials where a grid leaves it out, or its problems."""
    if space.sampler != "grid":
        sentence = (
            f"seeds is {space.seeds} and sampler is {space.sampler}; only sampler grid trains a point with "
            "several seeds, so leave seeds out"
        )
        return [Problem(("seeds",), sentence)] if space.seeds > 1 else space
    problems = [
        Problem(
            ("vary", name),
            f"vary.{name} is a range of numbers and sampler is grid, which tries every value; list "
            "the values as {choices: [...]}",
        )
        for name, dimension in space.dimensions().items()
        if isinstance(dimension, FloatRange)
    ]
    if space.seeds > 1 and space.confirm_seeds > 1:
        sentence = (
            f"confirm_seeds is {space.confirm_seeds} and seeds is {space.seeds}; a grid with seeds trains "
            "every point with several and chooses none to confirm, so leave confirm_seeds out"
        )
        problems.append(Problem(("confirm_seeds",), sentence))
    if space.first:
        sentence = "first is given and sampler is grid, which has an order of its own; leave first out"
        problems.append(Problem(("first",), sentence))
    return problems or _check_size(space, trials_given)


def _check_size(space: SearchSpace, trials_given: bool) -> SearchSpace | list[Problem]:
    combinations = math.prod(len(_listed(dimension)) for dimension in space.dimensions().values())
    size = combinations * space.seeds
    counted = f"{combinations:,} combinations with {space.seeds:,} seed{'s' * (space.seeds > 1)} each"
    if trials_given and space.trials > size:
        sentence = (
            f"trials is {space.trials} and the grid has {size:,} ({counted}); lower trials or leave it out"
        )
        return [Problem(("trials",), sentence)]
    if not trials_given and size > MOST_TRIALS:
        sentence = (
            f"the grid has {size:,} trials ({counted}); a run has at most {MOST_TRIALS:,}, so set trials"
        )
        return [Problem(("vary",), sentence)]
    return space if trials_given else space.model_copy(update={"trials": size})


def _listed(dimension: Dimension) -> Sequence[Value]:
    if isinstance(dimension, Choices):
        return dimension.values
    if isinstance(dimension, IntRange):
        return range(dimension.low, dimension.high + 1, dimension.step)
    raise ValueError(f"a grid needs a list of values, and there is none of the numbers {dimension}")
