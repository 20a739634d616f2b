"""A search space joined with the data that it is searched on: what its trials are, and what they cost."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from search_spaces import Dimension, SearchSpace, Value
from suite.compression.widths import kept_widths
from suite.data.store import LabelRange
from suite.networks import stages_of_widths, widths_of, with_widths
from suite.runs.info import CostRange
from suite.search.costs import cheapest_values, cost, cost_if_countable, dearest_values, relative_excesses
from suite.trial import TrialConfig


@dataclass(frozen=True)
class TrialFactory:
    """Makes the trials of a search space on a data set.

    Attributes:
        space: The search space.
        label_range: The data's own, which applies where the space leaves the label range open.
    """

    space: SearchSpace
    label_range: LabelRange

    def config(self, values: Mapping[str, Value], seed: int | None = None) -> TrialConfig:
        """Return the trial at a point of the space.

        Where the point has shares to keep, they are applied to the widths that the trial has without them.

        Args:
            values: One for every dimension, under the names of ``SearchSpace.dimensions``.
            seed: Of the training; None: the space's own.
        """
        fields = self.space.trial_fields(values)
        data = {
            "label_low": self.label_range.low,
            "label_high": self.label_range.high,
            "label_step": self.label_range.step,
        }
        fields |= {name: own for name, own in data.items() if fields[name] is None}
        config = TrialConfig(**fields, seed=self.space.seed if seed is None else seed)  # type: ignore[arg-type]
        if config.keep is None:
            return config
        shares = [config.keep[stage] for stage in stages_of_widths(config)]
        return with_widths(config, kept_widths(widths_of(config), shares))

    def fits(self, values: Mapping[str, Value]) -> bool:
        """Return whether the network at a point is within the bounds of the space."""
        excesses = relative_excesses(self.config(values), self.space.bounds.on_costs())
        return all(excess <= 0 for excess in excesses.values())

    def least_cost(self, quantity: str, fixed: Mapping[str, Value] | None = None) -> int:
        """Return the smallest cost that a network of the space can have.

        A network grows with its widths, depths, resolution and bins, so only their low ends are examined.

        Args:
            quantity: "params", "macs" or "bytes".
            fixed: Values of some dimensions, which the others are combined with.
        """
        return min(
            cost(config, bins, quantity) for config, bins in self._extremes(cheapest_values, fixed or {})
        )

    def cost_range(self, quantity: str) -> CostRange | None:
        """Return the costs of the smallest network of the space and of the largest, whatever its bounds are.

        Args:
            quantity: "params", "macs" or "bytes".

        Returns:
            The two; None where no network can be counted, or the largest is too large for that.
        """
        least, greatest = (
            [cost_if_countable(config, bins, quantity) for config, bins in self._extremes(ends, {})]
            for ends in (cheapest_values, dearest_values)
        )
        low = min((found for found in least if math.isfinite(found)), default=math.nan)
        high = max((found for found in greatest if not math.isnan(found)), default=math.nan)
        return CostRange(int(low), int(high)) if 0 < low <= high < math.inf else None

    def _extremes(
        self, ends: Callable[[str, Dimension], Sequence[Value]], fixed: Mapping[str, Value]
    ) -> Iterator[tuple[TrialConfig, int]]:
        """Yield the trials at some values of every dimension, each with its number of bins."""
        dimensions = self.space.dimensions()
        candidates = [
            [fixed[name]] if name in fixed else ends(name, dimension)
            for name, dimension in dimensions.items()
        ]
        for values in product(*candidates):
            config = self.config(dict(zip(dimensions, values, strict=True)))
            # Ends that make no valid label set together still give a limit.
            steps = (config.label_high - config.label_low) / config.label_step
            yield config, max(2, round(steps) + 1)
