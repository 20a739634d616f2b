"""Bounds on what a network may cost, which are known to be kept or not before it trains."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product

from search_spaces import Choices, Dimension, SearchSpace, Value, grid_trials
from search_spaces.space import OUTPUT_LAYERS
from suite.data.store import LabelRange
from suite.errors import RequestError
from suite.measure.profiling import UncountedOperatorError, count_macs, count_parameters, safetensors_bytes
from suite.methods.labels import label_set_of
from suite.networks import build_network
from suite.search.study.study import config_of_values
from suite.trial import TrialConfig

#: So many suggestions in a row that are out of bounds end a search. Where one network in fifty is inside, a
#: sampler that learns nothing comes to that once in 400 trials. Each takes some hundredths of a second, for
#: which the trials under way have to wait.
MOST_IN_A_ROW = 300
#: What each bound is on, in words.
NOUNS = {"params": "parameters", "macs": "multiply-adds", "bytes": "bytes"}
#: The fields of a trial that its costs depend on, beside the number of its bins.
STRUCTURE = ("network", "widths", "depths", "pooling", "pruned_widths", "method", "resolution")


def excesses(config: TrialConfig, bounds: Mapping[str, int]) -> dict[str, float]:
    """By how many times its bound a trial's network costs too much, by quantity; 0 or less: it is inside.

    A configuration that describes no network has none: it is its trial that tells what is wrong with it.
    """
    try:
        bins = label_set_of(config).bins
        return {name: cost(config, bins, name) / bound - 1 for name, bound in bounds.items()}
    except (RequestError, UncountedOperatorError):
        return {}


def sentence(config: TrialConfig, bounds: Mapping[str, int]) -> str:
    """Which bounds a trial's network is out of, and by how much."""
    bins = label_set_of(config).bins
    costs = {name: cost(config, bins, name) for name in bounds}
    over = [name for name, bound in bounds.items() if costs[name] > bound]
    return " and ".join(f"{costs[name]:,} {NOUNS[name]}, at most {bounds[name]:,} allowed" for name in over)


def cost(config: TrialConfig, bins: int, name: str) -> int:
    """The parameters, multiply-adds (``macs``, at its resolution) or bytes of a trial's network.

    Raises:
        RequestError: the configuration describes no network.
    """
    structure = TrialConfig(**{field: getattr(config, field) for field in STRUCTURE})
    if config.network != "compact":  # which has its own
        structure = dataclasses.replace(
            structure, widths=TrialConfig.widths, depths=TrialConfig.depths, pooling=TrialConfig.pooling
        )
    return _cost(structure, bins, name)


def check_bounds(space: SearchSpace, label_range: LabelRange) -> None:
    """Refuse bounds that nothing of the space can keep, or that a point of ``first`` cannot.

    Raises:
        RequestError: so it is.
    """
    for name, bound in space.bounds.given().items():
        smallest = least_cost(space, label_range, name)
        if smallest > bound:
            raise RequestError(
                f"bounds.{name} is {bound:,} and the smallest network of the space has {smallest:,} "
                f"{NOUNS[name]}; raise bounds.{name}, or widen the space"
            )
        for number, point in enumerate(space.first):
            its_least = least_cost(space, label_range, name, space.flat(point))
            if its_least > bound:
                raise RequestError(
                    f"first[{number}] has {its_least:,} {NOUNS[name]} and bounds.{name} is {bound:,}; raise "
                    f"bounds.{name}, or leave the point out of first"
                )


def least_cost(
    space: SearchSpace, label_range: LabelRange, name: str, fixed: Mapping[str, Value] | None = None
) -> int:
    """The smallest cost that a network of the space can have, where some dimensions are fixed.

    A network grows with its widths, depths, resolution and bins, so only their low ends are looked at.
    """
    fixed = fixed or {}
    listed = [
        [fixed[dimension]] if dimension in fixed else _low_end(dimension, varied)
        for dimension, varied in space.dimensions().items()
    ]
    costs = []
    for values in product(*listed):
        config = config_of_values(
            dict(zip(space.dimensions(), values, strict=True)), space, label_range, space.seed
        )
        # Ends that do not fit together still tell what cannot be smaller.
        steps = (config.label_high - config.label_low) / config.label_step
        costs.append(cost(config, max(2, round(steps) + 1), name))
    return min(costs)


def within_bounds(space: SearchSpace, label_range: LabelRange) -> tuple[SearchSpace, int]:
    """The space with no more trials than its grid has within bounds, and how many the grid has outside.

    What is no grid has no points to leave out, and stays as it is.

    Raises:
        RequestError: no point of the grid is within bounds.
    """
    if space.sampler != "grid" or not space.bounds.given():
        return space, 0
    fits = fits_of(space, label_range)
    inside = [fits(trial.values) for trial in grid_trials(space)]
    if not any(inside):
        bounds = " and ".join(f"bounds.{name} ({bound:,})" for name, bound in space.bounds.given().items())
        raise RequestError(f"no point of the grid is within {bounds}; raise one of them")
    trials = min(space.trials, sum(inside))
    return space.model_copy(update={"trials": trials}), len(inside) - sum(inside)


def fits_of(space: SearchSpace, label_range: LabelRange) -> Callable[[Mapping[str, Value]], bool]:
    """Whether the network at a value for every dimension is within the bounds of the space."""
    bounds = space.bounds.given()

    def fits(values: Mapping[str, Value]) -> bool:
        config = config_of_values(values, space, label_range, space.seed)
        return not bounds or all(excess <= 0 for excess in excesses(config, bounds).values())

    return fits


def nothing_left(space: SearchSpace, trained: int, repeats: int) -> str:
    """Why a search gave up: what it was offered last was out of bounds, or ``repeats`` trained before."""
    bounds = " and ".join(f"bounds.{name} ({bound:,})" for name, bound in space.bounds.given().items())
    ended = f"so the search ended with {trained} of {space.trials} trials"
    start = f"{MOST_IN_A_ROW} suggestions in a row were"
    if repeats == 0:
        return f"{start} out of {bounds}, {ended}; raise a bound, or narrow the space to what keeps it"
    if repeats == MOST_IN_A_ROW:
        return f"{start} of configurations trained before, {ended}; widen the space, or ask for fewer"
    return f"{start} trained before or out of {bounds}, {ended}; raise a bound, or widen the space"


def _low_end(dimension: str, varied: Dimension) -> Sequence[Value]:
    """Of the values of a dimension, those among which the cheapest network is."""
    field = dimension.partition("[")[0]
    if not isinstance(varied, Choices):
        return [varied.high if field in ("label_low", "label_step") else varied.low]
    values = varied.values
    if field == "method":
        by_layer = {OUTPUT_LAYERS[method]: method for method in OUTPUT_LAYERS if method in values}
        return list(by_layer.values())
    if field in ("widths", "depths", "keep"):
        return _undercut_by_none(values) if field == dimension else [min(values)]  # type: ignore[type-var]
    if field in ("label_low", "label_high", "label_step"):
        return [value for value in values if value is None] + _end_of(values, field)
    if field in ("network", "pooling"):
        return values
    return [min(values)] if field == "resolution" else [values[0]]  # type: ignore[type-var]


def _end_of(values: Sequence[Value], field: str) -> list[Value]:
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers:
        return []
    return [min(numbers) if field == "label_high" else max(numbers)]


def _undercut_by_none(values: Iterable[Value]) -> list[Value]:
    """Of whole lists of widths or depths, those that no other is below or equal to in every stage."""
    lists = [value for value in values if isinstance(value, tuple)]
    return [
        one
        for one in lists
        if not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True))  # type: ignore[operator]
            for other in lists
        )
    ]


@lru_cache(maxsize=100_000)
def _cost(structure: TrialConfig, bins: int, name: str) -> int:
    network = build_network(structure, bins)
    if name == "macs":
        return count_macs(network, structure.resolution)
    return {"params": count_parameters, "bytes": safetensors_bytes}[name](network)
