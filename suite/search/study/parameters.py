"""Between the points of a search space and the parameters of an Optuna trial."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces import Choices, Dimension, IntRange, SearchSpace, Value
from suite.search.trial_factory import TrialFactory
from suite.trial import TrialConfig

#: The parameter that tells the seeds of a point apart; no dimension of a space has this name.
SEED = "seed"


def distributions_of(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return the distribution of every parameter that a trial of the space has."""
    distributions = {name: distribution_of(dimension) for name, dimension in space.dimensions().items()}
    if space.seeds > 1:
        distributions[SEED] = IntDistribution(space.seed, space.seed + space.seeds - 1)
    return distributions


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """Return a dimension as Optuna's distribution."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution([category_of(value) for value in dimension.values])
    if isinstance(dimension, IntRange):
        return IntDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def parameters_of(space: SearchSpace, values: Mapping[str, Value]) -> dict[str, Any]:
    """Return the values of dimensions as Optuna's parameters."""
    dimensions = space.dimensions()
    return {
        name: category_of(value) if isinstance(dimensions[name], Choices) else value
        for name, value in values.items()
    }


def config_at(trials: TrialFactory, parameters: Mapping[str, Any]) -> TrialConfig:
    """Return the trial with Optuna's parameters; where they have no seed, it is the space's."""
    return trials.config(values_at(trials.space.dimensions(), parameters), parameters.get(SEED))


def values_at(dimensions: Mapping[str, Dimension], parameters: Mapping[str, Any]) -> dict[str, Value]:
    """Return Optuna's parameters as values of dimensions."""
    return {
        name: _value_of(dimension, parameters[name]) if isinstance(dimension, Choices) else parameters[name]
        for name, dimension in dimensions.items()
    }


def category_of(value: Value) -> str | float | None:
    """Return a choice as Optuna stores it. Its categories are scalars, so a tuple becomes "16-32-64"."""
    return "-".join(str(part) for part in value) if isinstance(value, tuple) else value


def _value_of(dimension: Choices, category: str | float | None) -> Value:
    return next(value for value in dimension.values if category_of(value) == category)
