"""What the network of a trial costs, known before it trains: parameters, multiply-adds, bytes."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import cast

from search_spaces import Choices, Dimension, Value
from search_spaces.trial_fields import OUTPUT_LAYERS
from suite.errors import RequestError
from suite.measure import profiling
from suite.measure.profiling import Counted, UncountedOperatorError
from suite.methods.labels import label_set_of
from suite.trial import TrialConfig

#: Each quantity in words.
NOUNS = {"params": "parameters", "macs": "multiply-adds", "bytes": "bytes"}
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


def cheapest_values(name: str, dimension: Dimension) -> Sequence[Value]:
    """Return those values of a dimension among which the cheapest network is."""
    field = name.partition("[")[0]
    if not isinstance(dimension, Choices):
        return [dimension.high if field in ("label_low", "label_step") else dimension.low]
    values = dimension.values
    if field == "method":
        by_layer = {OUTPUT_LAYERS[method]: method for method in OUTPUT_LAYERS if method in values}
        return list(by_layer.values())
    if field in ("widths", "depths", "keep"):
        return _minimal_tuples(values) if field == name else [min(values)]  # type: ignore[type-var]
    if field in ("label_low", "label_high", "label_step"):
        return [value for value in values if value is None] + _fewest_bins(values, field)
    if field in ("network", "pooling"):
        return values
    return [min(values)] if field == "resolution" else [values[0]]  # type: ignore[type-var]


def _bins(config: TrialConfig) -> int:
    return label_set_of(config).bins


def _fewest_bins(values: Sequence[Value], field: str) -> list[Value]:
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers:
        return []
    return [min(numbers) if field == "label_high" else max(numbers)]


def _minimal_tuples(values: Iterable[Value]) -> list[Value]:
    """Return those tuples of widths or depths that no other is below or equal to in every stage."""
    tuples = [value for value in values if isinstance(value, tuple)]
    return [
        one
        for one in tuples
        if not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True))  # type: ignore[operator]
            for other in tuples
        )
    ]


@lru_cache(maxsize=100_000)
def _cost(structure: TrialConfig, bins: int, quantity: Counted) -> int:
    return profiling.cost(structure, bins, quantity)
