"""The elastic training of a search space: what it shares, how it trains, and the slices that trials start from."""

import dataclasses
import math
from collections.abc import Callable

from search_spaces import Choices, Dimension, FloatRange, SearchSpace, Value
from suite.networks.elastic import ElasticSpace
from suite.presets import Architecture
from suite.search.proposals import ElasticTraining, Proposal, Slice
from suite.search.trial_factory import TrialFactory
from suite.trial import TrialConfig

#: The id of the elastic training that the search's trials start from.
ELASTIC = "elastic"
#: The fields of a trial that make its architecture.
ARCHITECTURE = ("widths", "depths")


def elastic_id(space: SearchSpace, seed: int) -> str:
    """Return the id of the elastic training with a seed; the confirmation has others than the search."""
    return ELASTIC if seed == space.seed else f"{ELASTIC}-s{seed}"


def slice_for(space: SearchSpace, seed: int) -> Slice | None:
    """Return the slice that a trial with a seed starts from; None where the space shares no weights."""
    if space.sharing is None:
        return None
    return Slice(elastic_id(space, seed), space.sharing.recalibration_images)


def elastic_proposal(trials: TrialFactory, seed: int) -> Proposal:
    """Return the elastic training of a space that shares weights, with a seed."""
    sharing = trials.space.sharing
    assert sharing is not None
    shared = elastic_space(trials.space)
    config = dataclasses.replace(
        trials.config({**shared_values(trials.space), **end_of(trials.space, max)}, seed),
        epochs=sharing.epochs,
        learning_rate=sharing.learning_rate,
        warmup_epochs=0,
        warmup_method=None,
    )
    return Proposal(
        id=elastic_id(trials.space, seed),
        config=config,
        stage="elastic",
        elastic=ElasticTraining(
            shared.widths,
            shared.depths,
            sharing.random_slices,
            sharing.distillation,
            sharing.recalibration_images,
        ),
    )


def elastic_space(space: SearchSpace) -> ElasticSpace:
    """Return the architectures of a search space, which share weights."""
    widths, depths = (_choices(space, field) for field in ARCHITECTURE)
    return ElasticSpace(widths, depths)


def shared_values(space: SearchSpace) -> dict[str, Value]:
    """Return the values of the elastic training for what varies beside widths and depths.

    They are those of the first point that the space names, or else the middle of each range.
    """
    named = space.flat(space.first[0]) if space.first else {}
    return {
        name: named.get(name, _middle(dimension))
        for name, dimension in space.dimensions().items()
        if name.partition("[")[0] not in ARCHITECTURE
    }


def architecture_dimensions(space: SearchSpace) -> dict[str, Dimension]:
    """Return the dimensions that make an architecture: ``widths[0]`` to ``depths[4]``, those that vary."""
    return {
        name: dimension
        for name, dimension in space.dimensions().items()
        if name.partition("[")[0] in ARCHITECTURE
    }


def end_of(space: SearchSpace, choose: Callable[[tuple[int, ...]], int]) -> dict[str, Value]:
    """Return the largest architecture of a space (``max``), or the smallest (``min``), by dimension."""
    return {name: choose(_values(dimension)) for name, dimension in architecture_dimensions(space).items()}


def architecture_of(config: TrialConfig) -> Architecture:
    """Return the widths and depths of a trial."""
    return Architecture(config.widths, config.depths)


def _choices(space: SearchSpace, field: str) -> tuple[tuple[int, ...], ...]:
    """Return the values that each stage of widths or depths may have."""
    varied = space.vary.get(field)
    if not isinstance(varied, tuple):
        return tuple((value,) for value in getattr(space.base, field))
    return tuple(_values(dimension) for dimension in varied)


def _values(dimension: Dimension) -> tuple[int, ...]:
    if isinstance(dimension, Choices):
        return tuple(value for value in dimension.values if isinstance(value, int))
    assert not isinstance(dimension, FloatRange)  # widths and depths are whole numbers
    return tuple(range(dimension.low, dimension.high + 1, dimension.step))


def _middle(dimension: Dimension) -> Value:
    if isinstance(dimension, Choices):
        return dimension.values[0]
    low, high = dimension.low, dimension.high
    middle = math.sqrt(low * high) if dimension.log else (low + high) / 2
    return middle if isinstance(dimension, FloatRange) else round(middle)
