"""The checks of ``vary``: every dimension is well formed, and each of its values one that the field may have."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from search_spaces.dimensions import Choices, Dimension, FloatRange, IntRange, Value
from search_spaces.problems import Path, Problem, dotted, shown
from search_spaces.space import SearchSpace
from search_spaces.trial_fields import (
    FIELDS,
    STAGED,
    STAGES,
    RangeKind,
    choice_adapter,
    range_kind,
    stage_adapter,
)
from search_spaces.validation import problems_of, unknown, validated

Varied = Dimension | tuple[Dimension, ...]


def checked_vary(values: Mapping[str, Any], problems: list[Problem]) -> dict[str, Varied] | None:
    """Return the dimensions by field; None where there are none."""
    given = values.get("vary")
    if not isinstance(given, dict) or not given:
        what = "vary is missing" if "vary" not in values else f"vary is {shown(given)}"
        problems.append(
            Problem(("vary",), f"{what}; it must be a mapping with at least one field of a trial")
        )
        return None
    base = values.get("base")
    vary: dict[str, Varied] = {}
    for field, entry in given.items():
        path = ("vary", field)
        if field not in FIELDS:
            hint = f'; "{field}" belongs at the top level' if field in SearchSpace.model_fields else ""
            problems.append(unknown(path, list(FIELDS), hint))
        elif isinstance(base, dict) and field in base:
            sentence = (
                f"{field} is both in base and in vary; a field is fixed in the one or varies in the other"
            )
            problems.append(Problem(path, sentence))
        elif varied := _varied(field, entry, problems):
            vary[field] = varied
    return vary


def _varied(field: str, given: Any, problems: list[Problem]) -> Varied | None:
    """Return the dimension of a field, or those of its five stages."""
    path: Path = ("vary", field)
    if field not in STAGED or (isinstance(given, dict) and "choices" in given):
        return _dimension(path, given, choice_adapter(field), range_kind(field), problems)
    if not isinstance(given, tuple) or len(given) != STAGES:
        count = f"has {len(given)} entries" if isinstance(given, tuple) else f"is {shown(given)}"
        must = f"it must be a list of {STAGES} dimensions, one per stage, or {{choices: [...]}}"
        problems.append(Problem(path, f"vary.{field} {count}; {must}"))
        return None
    stages = [
        _dimension((*path, stage), entry, stage_adapter(field), range_kind(field), problems)
        for stage, entry in enumerate(given)
    ]
    return tuple(stage for stage in stages if stage is not None)


def _dimension(
    path: Path, given: Any, adapter: TypeAdapter[Any], kind: RangeKind, problems: list[Problem]
) -> Dimension | None:
    if not isinstance(given, dict):
        form = "{choices: [...]}" if kind == "none" else "{low: ..., high: ...} or {choices: [...]}"
        problems.append(Problem(path, f"{dotted(path)} is {shown(given)}; it must be {form}"))
        return None
    before = len(problems)
    model = IntRange if kind == "int" else FloatRange
    is_choices = kind == "none" or "choices" in given
    allowed = ["choices"] if is_choices else list(model.model_fields)
    problems += [unknown((*path, key), allowed) for key in given if key not in allowed]
    if is_choices:
        values = _choices((*path, "choices"), given.get("choices"), adapter, problems)
        return Choices(values=values) if len(problems) == before else None
    for bound in ("low", "high"):
        if bound in given:
            validated((*path, bound), given[bound], adapter, problems)
    if len(problems) > before:
        return None
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems += problems_of(error, path)
        return None


def _choices(path: Path, given: Any, adapter: TypeAdapter[Any], problems: list[Problem]) -> tuple[Value, ...]:
    if not isinstance(given, tuple) or not given:
        sentence = f"{dotted(path)} is {shown(given)}; it must be a list of at least one value"
        problems.append(Problem(path, sentence))
        return ()
    for number, value in enumerate(given):
        if value in given[:number]:
            inner = (*path, number)
            problems.append(
                Problem(inner, f"{dotted(inner)} is {shown(value)} once more; list each value once")
            )
    return tuple(validated((*path, i), value, adapter, problems) for i, value in enumerate(given))
