"""Pydantic's checks, and its errors as problems in our words."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from search_spaces.problems import Path, Problem, did_you_mean, dotted, shown

#: Frozen; unknown fields are refused, types are not converted, numbers are finite.
STRICT = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

#: What a value must be, by the type of pydantic's error; names in braces are of the error's context.
REQUIREMENTS: Mapping[str, str] = {
    "bool_type": "it must be true or false",
    "dict_type": "it must be a mapping",
    "finite_number": "it must be a finite number",
    "float_type": "it must be a number",
    "greater_than": "it must be above {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "int_type": "it must be a whole number",
    "less_than": "it must be below {lt}",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "it must be {expected}",
    "model_type": "it must be a mapping",
    "string_pattern_mismatch": "it must be a word of letters, digits, dots, dashes and underscores",
    "string_too_short": "it must not be empty",
    "string_type": "it must be text",
    "tuple_type": "it must be a list",
}
#: Begins the type of an error at one key of a mapping; the key follows.
_AT_KEY = "at_key:"
#: The type of an error whose message is a requirement.
_REQUIREMENT = "requirement"


class Strict(BaseModel):
    """A model that is frozen, refuses unknown fields, and converts no types."""

    model_config = STRICT


def error_at(key: str, message: str, /, **values: object) -> PydanticCustomError:
    """Return the error for a fault at one key of a mapping; the message names that key's line.

    Args:
        key: Of the mapping.
        message: What is wrong, from the key on; ``values`` are filled in.
        values: Of the message.
    """
    return PydanticCustomError(f"{_AT_KEY}{key}", message, values)


def requirement(message: str) -> PydanticCustomError:
    """Return the error for a value that is not what ``message`` says it must be."""
    return PydanticCustomError(_REQUIREMENT, message)


def validated(path: Path, value: Any, adapter: TypeAdapter[Any], problems: list[Problem]) -> Any:
    """Return a value as its field has it (1 becomes 1.0 for a number), or note its problems."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        problems += problems_of(error, path)
        return value


def problems_of(error: ValidationError, path: Path = ()) -> list[Problem]:
    """Return the problems of a value at a path."""
    return [_problem(path, details) for details in error.errors(include_url=False)]


def unknown(path: Path, allowed: list[str], hint: str = "") -> Problem:
    """Return the problem of a key that is not allowed."""
    hint = hint or did_you_mean(path[-1], allowed)
    return Problem(path, f"{dotted(path)} is unknown; allowed are {', '.join(allowed)}{hint}")


def _problem(prefix: Path, details: ErrorDetails) -> Problem:
    path = (*prefix, *details["loc"])
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind == "missing":
        return Problem(path, f"{dotted(path)} is missing")
    if kind.startswith(_AT_KEY):
        key = kind.removeprefix(_AT_KEY)
        return Problem((*path, key), f"{dotted(path)}.{details['msg']}")
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        number = f"{'at least ' if bound == 1 else ''}{bound}"
        return Problem(path, f"{dotted(path)} has {context['actual_length']} entries; it must have {number}")
    hint = did_you_mean(value, context["expected"].split("'")) if kind == "literal_error" else ""
    return Problem(path, f"{dotted(path)} is {shown(value)}; {_requirement(details)}{hint}")


def _requirement(details: ErrorDetails) -> str:
    if details["type"] == _REQUIREMENT:
        return details["msg"]
    if details["type"] not in REQUIREMENTS:
        return f"it is not allowed ({details['msg']})"
    context = {name: _plain(value) for name, value in details.get("ctx", {}).items()}
    return REQUIREMENTS[details["type"]].format(**context)


def _plain(value: Any) -> Any:
    """Return a limit as people write it: 0.0 as 0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
