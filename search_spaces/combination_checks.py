"""The checks of fields that depend on each other: the label range, the network, and the warm-up.

They refuse what no trial could train. A combination of dimensions that only some trials cannot train is left
to those trials, which fail with its cause.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces.dimension_checks import Varied
from search_spaces.dimensions import Choices, FloatRange, IntRange
from search_spaces.problems import Path, Problem, alternatives
from search_spaces.trial_fields import OUTPUT_LAYERS, Base


def check_labels(base: Base) -> Iterator[Problem]:
    """Yield the problem of a fixed label range that does not ascend."""
    low, high = base.label_low, base.label_high
    if low is not None and high is not None and low >= high:
        sentence = f"base.label_low is {low} and label_high is {high}; label_low must be below label_high"
        yield Problem(("base", "label_low"), sentence)


def check_network(given: Mapping[str, Any], base: Base, vary: Mapping[str, Varied]) -> Iterator[Problem]:
    """Yield the problems of widths and depths that vary where no network of the space has any.

    Args:
        given: ``base`` as the document has it, where ``network`` may name a preset.
        base: The fixed fields.
        vary: The dimensions.
    """
    varied = vary.get("network")
    networks = varied.values if isinstance(varied, Choices) else (given.get("network", base.network),)
    for field in ("widths", "depths"):
        if field in vary and "compact" not in networks:
            where = "vary.network has only" if "network" in vary else "base.network is"
            names = " and ".join(str(name) for name in networks)
            has = "which has its own" if len(networks) == 1 else "which have their own"
            sentence = f"{field} varies and {where} {names}, {has}; choose compact, or do not vary {field}"
            yield Problem(("vary", field), sentence)


def check_warmup(base: Base, vary: Mapping[str, Varied]) -> Iterator[Problem]:
    """Yield the problems of a warm-up that no trial could train."""
    lengths, epochs = _values("warmup_epochs", base, vary), _values("epochs", base, vary)
    warmup_methods = _values("warmup_method", base, vary)
    path = _path("warmup_epochs", vary)
    if lengths and epochs and min(lengths) >= max(epochs):
        sentence = f"warmup_epochs is {min(lengths)} and epochs is {max(epochs)}"
        yield Problem(path, f"{sentence}; warmup_epochs must be below epochs")
    if lengths and min(lengths) > 0 and warmup_methods == (None,):
        yield Problem(path, "warmup_epochs is above 0 and warmup_method is missing; name a method")
    if lengths == (0,) and warmup_methods != (None,):
        sentence = "warmup_method is set and warmup_epochs is 0; raise warmup_epochs or drop warmup_method"
        yield Problem(_path("warmup_method", vary), sentence)
    for number, method in enumerate(_values("method", base, vary)):
        layer = OUTPUT_LAYERS[method]
        unfit = [word for word in warmup_methods if word is not None and OUTPUT_LAYERS[word] != layer]
        if unfit:
            fit = [word for word in OUTPUT_LAYERS if OUTPUT_LAYERS[word] == layer]
            sentence = f"warmup_method {unfit[0]} has another output layer than method {method}"
            where = ("vary", "method", "choices", number) if "method" in vary else ("base", "warmup_method")
            yield Problem(where, f"{sentence}, which may follow {alternatives(fit)}")


def _values(field: str, base: Base, vary: Mapping[str, Varied]) -> tuple[Any, ...]:
    """Return the values that a field can have, or the ends of its range; one where it does not vary."""
    match vary.get(field):
        case None:
            return (getattr(base, field),)
        case Choices(values=values):
            return values
        case IntRange(low=low, high=high) | FloatRange(low=low, high=high):
            return low, high
        case stages:
            return tuple(stages)


def _path(field: str, vary: Mapping[str, Varied]) -> Path:
    return ("vary" if field in vary else "base", field)
