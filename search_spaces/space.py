"""A search space: its settings, and the dimensions and first points that its trials differ in."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SkipValidation

from search_spaces.dimensions import Choices, Dimension, Point, Value, Vary
from search_spaces.settings import Settings
from search_spaces.trial_fields import FIELDS, PRESETS


class SearchSpace(Settings):
    """A checked search space: every trial is ``base`` with a point of ``vary`` laid over it.

    Attributes:
        vary: What differs between trials, by field.
        first: Points that are tried before the sampler proposes any.
    """

    # The checks of these two need each other and `base`; they are in search_spaces.checking.
    vary: SkipValidation[Vary]
    first: SkipValidation[tuple[Point, ...]] = ()

    def dimensions(self) -> dict[str, Dimension]:
        """Return the dimensions as a sampler sees them, each with a name: ``widths[0]``, ``lambda_l1``."""
        return {
            name: dimension
            for field, varied in self.vary.items()
            for name, dimension in _stages(field, varied)
        }

    def flat(self, point: Point) -> dict[str, Value]:
        """Return a point (of ``first``) under the names of ``dimensions``."""
        return {
            name: value
            for field, given in point.items()
            for name, value in (
                _stages(field, given) if isinstance(self.vary[field], tuple) else [(field, given)]
            )
        }

    def trial_fields(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the fields of the trial at a point: all that a space sets.

        A label range that neither base nor vary sets is None.

        Args:
            values: One for every dimension, under the names of ``dimensions``.

        Raises:
            KeyError: A dimension has no value.
        """
        fields: dict[str, Value] = {name: getattr(self.base, name) for name in FIELDS}
        for field, varied in self.vary.items():
            if isinstance(varied, tuple):
                stages = tuple(values[name] for name, _ in _stages(field, varied))
                fields[field] = stages  # type: ignore[assignment]
            else:
                fields[field] = values[field]
        if preset := PRESETS.get(str(fields["network"])):  # a choice of vary.network
            fields |= {"network": "compact", **preset}
        return fields

    @property
    def confirming_seeds(self) -> range:
        """The seeds of the confirmation, which the search does not use; empty where there is no confirmation."""
        first = self.seed + self.seeds
        return range(first, first + (self.confirm_seeds if self.confirm_seeds > 1 else 0))

    def to_dict(self) -> dict[str, Any]:
        """Return the space as JSON types, everything resolved; ``load_dict`` reads it back."""
        document = self.model_dump(mode="json", exclude={"vary", "first"})
        document["base"] = {f: _json(getattr(self.base, f)) for f in FIELDS if f not in self.vary}
        document["vary"] = {
            field: [_dimension_dict(d) for d in varied]
            if isinstance(varied, tuple)
            else _dimension_dict(varied)
            for field, varied in self.vary.items()
        }
        document["first"] = [{k: _json(v) for k, v in point.items()} for point in self.first]
        return document


def _stages(field: str, entries: Any) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a field under the names of their dimensions."""
    if isinstance(entries, tuple):
        yield from ((f"{field}[{stage}]", entry) for stage, entry in enumerate(entries))
    else:
        yield field, entries


def _dimension_dict(dimension: Dimension) -> dict[str, Any]:
    if isinstance(dimension, Choices):
        return {"choices": [_json(value) for value in dimension.values]}
    return dimension.model_dump(mode="json")


def _json(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value
