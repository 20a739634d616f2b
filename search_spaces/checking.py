"""From plain values to a ``SearchSpace``, or to a list of all that is wrong with them."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from search_spaces.early_stopping import check_stopping
from search_spaces.grid import check_grid
from search_spaces.problems import Path, Problem, alternatives, did_you_mean, dotted, shown
from search_spaces.space import (
    FIELDS,
    OUTPUT_LAYERS,
    PRESETS,
    STAGES,
    Base,
    Bounds,
    Choices,
    Depth,
    Dimension,
    FloatRange,
    IntRange,
    Latency,
    Network,
    Point,
    SearchSpace,
    Settings,
    Share,
    Stopping,
    Value,
    Width,
)

#: The fields with a value a stage, and the type of one such value.
STAGED: Mapping[str, Any] = {"widths": Width, "depths": Depth, "keep": Share}
#: The blocks of settings whose keys are looked at by pydantic alone.
BLOCKS: Mapping[str, type[BaseModel]] = {"stopping": Stopping, "bounds": Bounds, "latency": Latency}
Varied = Dimension | tuple[Dimension, ...]
Kind = Literal["int", "float", "other"]


def check(values: Mapping[str, Any]) -> SearchSpace | list[Problem]:
    """The search space that plain values (dicts, tuples, scalars) describe, or its problems."""
    problems: list[Problem] = []
    trials_given = "trials" in values or values.get("sampler") != "grid"
    settings = _settings(values if trials_given else {**values, "trials": 1}, problems)
    vary = _vary(values, problems)
    if settings is None or vary is None or problems:
        return problems
    _check_network(values.get("base", {}), settings.base, vary, problems)
    _check_warmup(settings.base, vary, problems)
    problems += check_stopping(settings, vary)
    first = _first(values.get("first", ()), settings.base, vary, problems)
    if problems:
        return problems
    given = {name: getattr(settings, name) for name in Settings.model_fields}
    if "confirm_seeds" not in values and settings.seeds > 1:
        given["confirm_seeds"] = 1
    return check_grid(SearchSpace(**given, vary=vary, first=first), trials_given=trials_given)


def _settings(values: Mapping[str, Any], problems: list[Problem]) -> Settings | None:
    """All but the dimensions and the first points."""
    for key in values:
        if key not in SearchSpace.model_fields:
            hint = "; a field of a trial belongs under base or vary" if key in FIELDS else ""
            problems.append(_unknown((key,), list(SearchSpace.model_fields), hint))
    known = {key: value for key, value in values.items() if key in Settings.model_fields}
    base = known.get("base")
    if isinstance(base, dict):
        for key in [key for key in base if key not in FIELDS]:
            problems.append(_unknown(("base", key), list(FIELDS), _top_level_hint(key)))
        known["base"] = _base({key: value for key, value in base.items() if key in FIELDS}, problems)
    try:
        settings = Settings.model_validate(known)
    except ValidationError as error:
        problems += [_problem((), details) for details in error.errors(include_url=False)]
        return None
    repeated = {o for o in settings.objectives if settings.objectives.count(o) > 1}
    problems += [
        Problem(("objectives",), f"objectives names {name} twice; once is enough")
        for name in sorted(repeated)
    ]
    return settings


def _base(given: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The fields that are fixed, with the preset that ``network`` may name laid out."""
    name = given.get("network")
    if not isinstance(name, str) or name not in PRESETS:
        return given
    for field in PRESETS[name].keys() & given.keys():
        sentence = f"base.{field} is set and base.network is {name}, which has its own; leave one of them out"
        problems.append(Problem(("base", field), sentence))
    return {**given, "network": "compact", **PRESETS[name]}


def _vary(values: Mapping[str, Any], problems: list[Problem]) -> dict[str, Varied] | None:
    """The dimensions by field."""
    given = values.get("vary")
    if not isinstance(given, dict) or not given:
        what = "vary is missing" if "vary" not in values else f"vary is {shown(given)}"
        problems.append(
            Problem(("vary",), f"{what}; it must be a mapping with at least one field of a trial")
        )
        return None
    base = values.get("base")
    vary: dict[str, Varied] = {}
    for field, varied in given.items():
        if field not in FIELDS:
            problems.append(_unknown(("vary", field), list(FIELDS), _top_level_hint(field)))
        elif isinstance(base, dict) and field in base:
            sentence = (
                f"{field} is both in base and in vary; a field is fixed in the one or varies in the other"
            )
            problems.append(Problem(("vary", field), sentence))
        elif dimension := _varied(field, varied, problems):
            vary[field] = dimension
    return vary


def _varied(field: str, given: Any, problems: list[Problem]) -> Varied | None:
    """The dimension of a field, or its five."""
    path: Path = ("vary", field)
    if field not in STAGED or (isinstance(given, dict) and "choices" in given):
        return _dimension(path, given, _field_adapter(field), _kind(field), problems)
    if not isinstance(given, tuple) or len(given) != STAGES:
        count = f"has {len(given)} entries" if isinstance(given, tuple) else f"is {shown(given)}"
        must = f"it must be a list of {STAGES} dimensions, one a stage, or {{choices: [...]}}"
        problems.append(Problem(path, f"vary.{field} {count}; {must}"))
        return None
    stages = [
        _dimension((*path, stage), entry, _stage_adapter(field), _kind(field), problems)
        for stage, entry in enumerate(given)
    ]
    return tuple(stage for stage in stages if stage is not None)


def _dimension(
    path: Path, given: Any, adapter: TypeAdapter[Any], kind: Kind, problems: list[Problem]
) -> Dimension | None:
    """One dimension; each of its values must be one that the field may have."""
    if not isinstance(given, dict):
        form = "{choices: [...]}" if kind == "other" else "{low: ..., high: ...} or {choices: [...]}"
        problems.append(Problem(path, f"{dotted(path)} is {shown(given)}; it must be {form}"))
        return None
    before = len(problems)
    model = IntRange if kind == "int" else FloatRange
    listed = kind == "other" or "choices" in given
    allowed = ["choices"] if listed else list(model.model_fields)
    problems += [_unknown((*path, key), allowed) for key in given if key not in allowed]
    if listed:
        values = _choices((*path, "choices"), given.get("choices"), adapter, problems)
        return Choices(values=values) if len(problems) == before else None
    for bound in ("low", "high"):
        if bound in given:
            _valid((*path, bound), given[bound], adapter, problems)
    if len(problems) > before:
        return None
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems += [_problem(path, details) for details in error.errors(include_url=False)]
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
    return tuple(_valid((*path, i), value, adapter, problems) for i, value in enumerate(given))


def _check_network(
    given: Mapping[str, Any], base: Base, vary: Mapping[str, Varied], problems: list[Problem]
) -> None:
    """Widths and depths must be of use to some network that trials can have, and not be set twice."""
    varied = vary.get("network")
    networks = varied.values if isinstance(varied, Choices) else (given.get("network", base.network),)
    for field in ("widths", "depths"):
        if field in vary and "compact" not in networks:
            where = "vary.network has only" if "network" in vary else "base.network is"
            names = " and ".join(str(name) for name in networks)
            has = "which has its own" if len(networks) == 1 else "which have their own"
            sentence = f"{field} varies and {where} {names}, {has}; choose compact, or do not vary {field}"
            problems.append(Problem(("vary", field), sentence))


def _check_warmup(base: Base, vary: Mapping[str, Varied], problems: list[Problem]) -> None:
    """What no trial could do; a combination of dimensions that some cannot is found out by those trials."""
    lengths, epochs = _values("warmup_epochs", base, vary), _values("epochs", base, vary)
    warming = _values("warmup_method", base, vary)
    path = _place("warmup_epochs", vary)
    if lengths and epochs and min(lengths) >= max(epochs):
        sentence = f"warmup_epochs is {min(lengths)} and epochs is {max(epochs)}"
        problems.append(Problem(path, f"{sentence}; warmup_epochs must be below epochs"))
    if lengths and min(lengths) > 0 and warming == (None,):
        problems.append(Problem(path, "warmup_epochs is above 0 and warmup_method is missing; name a method"))
    if lengths == (0,) and warming != (None,):
        sentence = "warmup_method is set and warmup_epochs is 0; raise warmup_epochs or drop warmup_method"
        problems.append(Problem(_place("warmup_method", vary), sentence))
    for number, method in enumerate(_values("method", base, vary)):
        layer = OUTPUT_LAYERS[method]
        unfit = [word for word in warming if word is not None and OUTPUT_LAYERS[word] != layer]
        if unfit:
            fit = [word for word in OUTPUT_LAYERS if OUTPUT_LAYERS[word] == layer]
            sentence = f"warmup_method {unfit[0]} has another output layer than method {method}"
            where = ("vary", "method", "choices", number) if "method" in vary else ("base", "warmup_method")
            problems.append(Problem(where, f"{sentence}, which may follow {alternatives(fit)}"))


def _values(field: str, base: Base, vary: Mapping[str, Varied]) -> tuple[Any, ...]:
    """The values that a field can have, or the ends of its range; one where it does not vary."""
    match vary.get(field):
        case None:
            return (getattr(base, field),)
        case Choices(values=values):
            return values
        case IntRange(low=low, high=high) | FloatRange(low=low, high=high):
            return low, high
        case stages:
            return tuple(stages)


def _place(field: str, vary: Mapping[str, Varied]) -> Path:
    return ("vary" if field in vary else "base", field)


def _first(given: Any, base: Base, vary: Mapping[str, Varied], problems: list[Problem]) -> tuple[Point, ...]:
    """The points to try first, presets resolved."""
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
    """A point with the preset that it names laid out and the rest laid over it."""
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
    return {k: _valid((*path, k), value, _field_adapter(k), problems) for k, value in point.items()}


def _may_be(field: str, value: Any, vary: Mapping[str, Varied]) -> bool:
    """Whether a value is among the choices of a field that varies."""
    varied = vary.get(field)
    return isinstance(varied, Choices) and value in varied


def _check_inside(
    path: Path, field: str, value: Any, vary: Mapping[str, Varied], problems: list[Problem]
) -> None:
    """Note where a value of a point is none that the sampler could have drawn."""
    if field not in vary:
        fixed = (
            f"{dotted(path)} sets a field that does not vary; fix it in base, or vary it"
            if field in FIELDS
            else ""
        )
        problems.append(Problem(path, fixed) if fixed else _unknown(path, ["network", *vary]))
        return
    varied = vary[field]
    if not isinstance(varied, tuple):
        if value not in varied:
            problems.append(Problem(path, _outside(path, value, ("vary", field), varied)))
    elif not isinstance(value, tuple) or len(value) != len(varied):
        sentence = f"{dotted(path)} is {shown(value)}; it must be a list of {len(varied)} values, one a stage"
        problems.append(Problem(path, sentence))
    else:
        for stage, (dimension, entry) in enumerate(zip(varied, value, strict=True)):
            if entry not in dimension:
                inner = (*path, stage)
                problems.append(Problem(inner, _outside(inner, entry, ("vary", field, stage), dimension)))


def _outside(path: Path, value: Any, at: Path, dimension: Dimension) -> str:
    goes = "is" if isinstance(dimension, Choices) else "goes"
    return f"{dotted(path)} is {shown(value)}, outside of {dotted(at)}, which {goes} {dimension}"


@cache
def _field_adapter(field: str) -> TypeAdapter[Any]:
    """What a field of a trial may be, where it varies."""
    info = Base.model_fields[field]
    if field == "network":  # a preset is as good a choice as a network
        words: Any = Literal[(*get_args(Network), *PRESETS)]
        return TypeAdapter(words)
    # With its metadata as Field() would give it: the bounds stand beside the type.
    annotation: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    return TypeAdapter(annotation)


@cache
def _stage_adapter(field: str) -> TypeAdapter[Any]:
    return TypeAdapter(STAGED[field])


def _kind(field: str) -> Kind:
    """Whether a field's values make a range of whole numbers, of numbers, or none."""
    types = _plain_types(Base.model_fields[field].annotation)
    return "int" if int in types else "float" if float in types else "other"


def _plain_types(annotation: Any) -> set[Any]:
    """The types in a union, without bounds."""
    if isinstance(annotation, type):
        return {annotation}
    origin_of_literal = get_args(annotation) and annotation.__class__.__name__ == "_LiteralGenericAlias"
    inner = () if origin_of_literal else get_args(annotation)
    return {found for part in inner if not isinstance(part, str) for found in _plain_types(part)}


def _valid(path: Path, value: Any, adapter: TypeAdapter[Any], problems: list[Problem]) -> Any:
    """The value as the field has it (1 becomes 1.0 where it is a float), or its problems noted."""
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError as error:
        problems += [_problem(path, details) for details in error.errors(include_url=False)]
        return value


def _problem(prefix: Path, details: ErrorDetails) -> Problem:
    """One of pydantic's errors in our words."""
    path = (*prefix, *details["loc"])
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    match kind:
        case "missing":
            return Problem(path, f"{dotted(path)} is missing")
        case "low" | "high" | "step" | "label_low" | "rungs":
            return Problem((*path, kind), f"{dotted(path)}.{details['msg']}")
        case "too_short" | "too_long":
            bound = context.get("min_length", context.get("max_length"))
            entries = f"has {context['actual_length']} entries; it must have"
            sentence = f"{entries} {'at least ' if bound == 1 else ''}{bound}"
        case "extra_forbidden":
            return _unknown(path, list(BLOCKS[str(path[0])].model_fields))  # the rest was looked at before
        case "literal_error":
            hint = did_you_mean(value, context["expected"].split("'"))
            if path == ("base", "network"):
                hint = f", or a preset: {alternatives(PRESETS)}"
                hint += did_you_mean(value, [*get_args(Network), *PRESETS])
            sentence = f"is {shown(value)}; it must be {context['expected']}{hint}"
        case "string_pattern_mismatch":
            sentence = (
                f"is {shown(value)}; it must be a word of letters, digits, dots, dashes and underscores"
            )
        case _:
            sentence = f"is {shown(value)}; {_must(details['msg'])}"
    return Problem(path, f"{dotted(path)} {sentence}")


def _must(message: str) -> str:
    """What pydantic says of a value's type or bounds, in our words."""
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return message


_WORDS = {
    "Input should be": "it must be",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "above",
    "less than": "below",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid string": "text",
    "a valid boolean": "true or false",
    "a valid tuple": "a list",
    "a valid dictionary or instance of Base": "a mapping",
    **{f"a valid dictionary or instance of {model.__name__}": "a mapping" for model in BLOCKS.values()},
    "a valid dictionary or object to extract fields from": "a mapping",
}


def _unknown(path: Path, allowed: list[str], hint: str = "") -> Problem:
    key = path[-1]
    hint = hint or did_you_mean(key, allowed)
    return Problem(path, f"{dotted(path)} is unknown; allowed are {', '.join(allowed)}{hint}")


def _top_level_hint(key: str) -> str:
    return f'; "{key}" belongs at the top level' if key in SearchSpace.model_fields else ""
