"""What the network of a trial costs, known before it trains: parameters, multiply-adds, bytes."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import torch

from search_spaces import Choices, Dimension, Value
from search_spaces.trial_fields import OUTPUT_LAYERS
from suite.errors import RequestError
from suite.measure import profiling
from suite.measure.profiling import Counted, UncountedOperatorError
from suite.methods.labels import label_set_of
from suite.trial import TrialConfig

#: Each quantity in words.
NOUNS = {"params": "parameters", "macs": "multiply-adds", "bytes": "bytes"}
#: Multiply-adds are counted by running the network on one image; with so many parameters that takes 4 GB.
MOST_PARAMETERS = 1_000_000_000
#: The fields of a trial that its costs depend on, besides the number of its bins.
STRUCTURE = ("network", "widths", "depths", "pooling", "pruned_widths", "method", "resolution")


def cost(config: TrialConfig, bins: int, quantity: str) -> int:
    """Return the parameters, multiply-adds (``macs``, at the trial's resolution) or bytes of a network.

    Raises:
        RequestError: The configuration describes no network.
    """
    structure = TrialConfig(**{field: getattr(config, field) for field in STRUCTURE})
    if config.network != "compact":  # its widths, depths and pooling are its own
        structure = dataclasses.replace(
            structure, widths=TrialConfig.widths, depths=TrialConfig.depths, pooling=TrialConfig.pooling
        )
    return _cost(structure, bins, cast(Counted, quantity))


def relative_excesses(config: TrialConfig, bounds: Mapping[str, int]) -> dict[str, float]:
    """Return by which share of each bound a network exceeds it; 0 or less: it is within the bound.

    A configuration that describes no network has no excesses: its trial fails, and says why.
    """
    try:
        bins = _bins(config)
        return {quantity: cost(config, bins, quantity) / bound - 1 for quantity, bound in bounds.items()}
    except (RequestError, UncountedOperatorError):
        return {}


def describe_excesses(config: TrialConfig, bounds: Mapping[str, int]) -> str:
    """Say which bounds a network exceeds, and its costs."""
    bins = _bins(config)
    costs = {quantity: cost(config, bins, quantity) for quantity in bounds}
    return " and ".join(
        f"{costs[quantity]:,} {NOUNS[quantity]}, at most {bound:,} allowed"
        for quantity, bound in bounds.items()
        if costs[quantity] > bound
    )


def cost_if_countable(config: TrialConfig, bins: int, quantity: str) -> float:
    """Return a cost of a network that nobody may ever build.

    Returns:
        The cost; infinity for multiply-adds of a network with more than ``MOST_PARAMETERS``, which are counted by
        running it; NaN where the configuration describes no network.
    """
    try:
        with torch.device("meta"):  # parameters without memory
            if quantity != "macs":
                return cost(config, bins, quantity)
            parameters = cost(config, bins, "params")
        return cost(config, bins, quantity) if parameters <= MOST_PARAMETERS else math.inf
    except (RequestError, UncountedOperatorError):
        return math.nan


def cheapest_values(name: str, dimension: Dimension) -> Sequence[Value]:
    """Return those values of a dimension among which the cheapest network is."""
    return _ends(name, dimension, dearest=False)


def dearest_values(name: str, dimension: Dimension) -> Sequence[Value]:
    """Return those values of a dimension among which the network is that costs most."""
    return _ends(name, dimension, dearest=True)


def _ends(name: str, dimension: Dimension, *, dearest: bool) -> Sequence[Value]:
    field = name.partition("[")[0]
    if not isinstance(dimension, Choices):
        falls = field in ("label_low", "label_step")  # the number of bins does, where these rise
        return [dimension.high if falls != dearest else dimension.low]
    values = dimension.values
    if field == "method":
        by_layer = {OUTPUT_LAYERS[method]: method for method in OUTPUT_LAYERS if method in values}
        return list(by_layer.values())
    end = max if dearest else min
    if field in ("widths", "depths", "keep"):
        return _extreme_tuples(values, dearest=dearest) if field == name else [end(values)]  # type: ignore[type-var]
    if field in ("label_low", "label_high", "label_step"):
        return [value for value in values if value is None] + _end_of_bins(values, field, dearest=dearest)
    if field in ("network", "pooling"):
        return values
    return [end(values)] if field == "resolution" else [values[0]]  # type: ignore[type-var]


def _bins(config: TrialConfig) -> int:
    return label_set_of(config).bins


def _end_of_bins(values: Sequence[Value], field: str, *, dearest: bool) -> list[Value]:
    """Return the number of a label field with the fewest bins, or with the most."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers:
        return []
    rises = field == "label_high"
    return [max(numbers) if rises == dearest else min(numbers)]


def _extreme_tuples(values: Iterable[Value], *, dearest: bool) -> list[Value]:
    """Return those tuples of widths or depths that no other is below (above) or equal to in every stage."""
    tuples = [value for value in values if isinstance(value, tuple)]

    def beyond(other: Any, one: Any) -> bool:
        pairs = zip(one, other, strict=True) if dearest else zip(other, one, strict=True)
        return other != one and all(low <= high for low, high in pairs)

    return [one for one in tuples if not any(beyond(other, one) for other in tuples)]


@lru_cache(maxsize=100_000)
def _cost(structure: TrialConfig, bins: int, quantity: Counted) -> int:
    return profiling.cost(structure, bins, quantity)
