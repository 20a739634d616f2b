"""The checks of ``first``: every point lies inside the dimensions, its presets resolved."""

from collections.abc import Mapping
from typing import Any

from search_spaces.dimension_checks import Varied
from search_spaces.dimensions import Choices, Dimension, Point, Value
from search_spaces.problems import Path, Problem, alternatives, did_you_mean, dotted, shown
from search_spaces.trial_fields import FIELDS, PRESETS, Base, choice_adapter
from search_spaces.validation import unknown, validated


def checked_first(
    given: Any, base: Base, vary: Mapping[str, Varied], problems: list[Problem]
) -> tuple[Point, ...]:
    """Return the points to try first."""
    if not isinstance(given, tuple):
        problems.append(Problem(("first",), f"first is {shown(given)}; it must be a list of points"))
        return ()
    points = []
    for number, entry in enumerate(given):
        path = ("first", number)
        if isinstance(entry, dict) and entry:
            if point := _point(path, entry, base, vary, problems):
                points.append(point)
        else:
            sentence = f"{dotted(path)} is {shown(entry)}; it must be a mapping such as {{network: tiny}}"
            problems.append(Problem(path, sentence))
    return tuple(points)


def _point(
    path: Path, entry: Mapping[str, Any], base: Base, vary: Mapping[str, Varied], problems: list[Problem]
) -> Point:
    """Return a point with the fields of the preset that it names, and its own laid over them."""
    entry = dict(entry)
    preset: dict[str, Value] = {}
    name = entry.get("network")
    if isinstance(name, str) and name in PRESETS and not _may_be("network", name, vary):
        del entry["network"]
        preset = {k: v for k, v in PRESETS[name].items() if k not in entry}
    elif "network" in entry and "network" not in vary:
        path = (*path, "network")
        must = f"it must be {alternatives(PRESETS)}{did_you_mean(name, PRESETS)}"
        problems.append(Problem(path, f"{dotted(path)} is {shown(name)}; {must}"))
        return {}
    for field, value in preset.items():
        if field not in vary and getattr(base, field) != value:
            fixed = shown(getattr(base, field))
            sentence = (
                f"{dotted(path)} has the {field} {shown(value)} of {name}, and base fixes {field} at {fixed}"
            )
            problems.append(Problem((*path, "network"), f"{sentence}; vary {field}, or leave this point out"))
    if preset and "network" in vary:
        preset["network"] = "compact"
    point = {field: value for field, value in preset.items() if field in vary} | entry
    before = len(problems)
    for field, value in point.items():
        _check_inside((*path, field), field, value, vary, problems)
    if len(problems) > before:
        return {}
    return {k: validated((*path, k), value, choice_adapter(k), problems) for k, value in point.items()}


def _may_be(field: str, value: Any, vary: Mapping[str, Varied]) -> bool:
    """Return whether a value is among the choices of a field that varies."""
    varied = vary.get(field)
    return isinstance(varied, Choices) and value in varied


def _check_inside(
    path: Path, field: str, value: Any, vary: Mapping[str, Varied], problems: list[Problem]
) -> None:
    """Note a value of a point that the sampler could not propose."""
    if field not in vary:
        fixed = (
            f"{dotted(path)} sets a field that does not vary; fix it in base, or vary it"
            if field in FIELDS
            else ""
        )
        problems.append(Problem(path, fixed) if fixed else unknown(path, ["network", *vary]))
        return
    varied = vary[field]
    if not isinstance(varied, tuple):
        if value not in varied:
            problems.append(Problem(path, _outside(path, value, ("vary", field), varied)))
    elif not isinstance(value, tuple) or len(value) != len(varied):
        sentence = (
            f"{dotted(path)} is {shown(value)}; it must be a list of {len(varied)} values, one per stage"
        )
        problems.append(Problem(path, sentence))
    else:
        for stage, (dimension, entry) in enumerate(zip(varied, value, strict=True)):
            if entry not in dimension:
                inner = (*path, stage)
                problems.append(Problem(inner, _outside(inner, entry, ("vary", field, stage), dimension)))


def _outside(path: Path, value: Any, at: Path, dimension: Dimension) -> str:
    verb = "is" if isinstance(dimension, Choices) else "ranges"
    return f"{dotted(path)} is {shown(value)}, outside {dotted(at)}, which {verb} {dimension}"
