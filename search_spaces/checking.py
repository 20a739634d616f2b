"""From plain values to a ``SearchSpace``, or to a list of everything that is wrong with them.

The files ``*_checks`` look at one part of a space each.
"""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from search_spaces.combination_checks import check_labels, check_network, check_warmup
from search_spaces.confirmation_checks import check_confirmation
from search_spaces.dimension_checks import checked_vary
from search_spaces.grid import check_grid
from search_spaces.point_checks import checked_first
from search_spaces.problems import Problem, alternatives, did_you_mean, dotted, shown
from search_spaces.settings import Settings
from search_spaces.sharing_checks import check_sharing
from search_spaces.space import SearchSpace
from search_spaces.stopping_checks import check_stopping
from search_spaces.trial_fields import FIELDS, PRESETS, Base, field_adapter
from search_spaces.validation import Strict, problems_of, unknown, validated
from suite.trial import Network

#: The blocks of settings, which are mappings of their own.
BLOCKS: Mapping[str, type[Strict]] = {
    name: kind
    for name, field in Settings.model_fields.items()
    for kind in (field.annotation, *get_args(field.annotation))  # a block that may be left out is one or None
    if isinstance(kind, type) and issubclass(kind, Strict)
}


def check(values: Mapping[str, Any]) -> SearchSpace | list[Problem]:
    """Return the search space that plain values describe, or its problems.

    Args:
        values: Dicts, tuples and scalars.
    """
    problems: list[Problem] = []
    trials_given = "trials" in values or values.get("sampler") != "grid"
    settings = _settings(values if trials_given else {**values, "trials": 1}, problems)
    vary = checked_vary(values, problems)
    if settings is None or vary is None or problems:
        return problems
    problems += check_labels(settings.base)
    problems += check_network(values.get("base", {}), settings.base, vary)
    problems += check_warmup(settings.base, vary)
    problems += check_stopping(settings, vary)
    problems += check_sharing(settings, vary)
    problems += check_confirmation(settings, vary)
    first = checked_first(values.get("first", ()), settings.base, vary, problems)
    if problems:
        return problems
    given = {name: getattr(settings, name) for name in Settings.model_fields}
    if "confirm_seeds" not in values and settings.seeds > 1:
        given["confirm_seeds"] = 1
    return check_grid(SearchSpace(**given, vary=vary, first=first), trials_given=trials_given)


def _settings(values: Mapping[str, Any], problems: list[Problem]) -> Settings | None:
    """Return everything but the dimensions and the first points."""
    for key in values:
        if key not in SearchSpace.model_fields:
            hint = "; a field of a trial belongs under base or vary" if key in FIELDS else ""
            problems.append(unknown((key,), list(SearchSpace.model_fields), hint))
    settings_given = {key: value for key, value in values.items() if key in Settings.model_fields}
    of_base: list[Problem] = []
    settings_given["base"] = _base(values.get("base", {}), of_base)
    for block, model in BLOCKS.items():
        if isinstance(given := settings_given.get(block), dict):
            allowed = list(model.model_fields)
            problems += [unknown((block, key), allowed) for key in given if key not in allowed]
            settings_given[block] = {key: value for key, value in given.items() if key in allowed}
    try:
        settings = Settings.model_validate(settings_given)
    except ValidationError as error:
        problems += problems_of(error) + of_base
        return None
    problems += of_base
    repeated = {name for name in settings.objectives if settings.objectives.count(name) > 1}
    problems += [
        Problem(("objectives",), f"objectives names {name} twice; once is enough")
        for name in sorted(repeated)
    ]
    return settings


def _base(given: Any, problems: list[Problem]) -> Base:
    """Return the fixed fields, with the widths and depths of the preset that ``network`` may name."""
    if not isinstance(given, dict):
        problems.append(Problem(("base",), f"base is {shown(given)}; it must be a mapping"))
        return Base()
    for key in given:
        if key not in FIELDS:
            hint = f'; "{key}" belongs at the top level' if key in SearchSpace.model_fields else ""
            problems.append(unknown(("base", key), list(FIELDS), hint))
    fields = {key: value for key, value in given.items() if key in FIELDS}
    fields |= _preset(fields, problems)
    before = len(problems)
    checked = {key: _fixed(key, value, problems) for key, value in fields.items()}
    return Base(**checked) if len(problems) == before else Base()


def _fixed(field: str, value: Any, problems: list[Problem]) -> Any:
    """Return the value of a fixed field, or note its problems."""
    path = ("base", field)
    networks = get_args(Network)
    if field != "network" or value in networks:
        return validated(path, value, field_adapter(field), problems)
    words = f"{alternatives(map(repr, networks))}, or a preset: {alternatives(PRESETS)}"
    hint = did_you_mean(value, [*networks, *PRESETS])
    problems.append(Problem(path, f"{dotted(path)} is {shown(value)}; it must be {words}{hint}"))
    return value


def _preset(fields: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the fields that the preset named by ``network`` stands for; empty where it names none."""
    name = fields.get("network")
    if not isinstance(name, str) or name not in PRESETS:
        return {}
    for field in PRESETS[name].keys() & fields.keys():
        sentence = f"base.{field} is set and base.network is {name}, which has its own; leave one of them out"
        problems.append(Problem(("base", field), sentence))
    return {"network": "compact", **PRESETS[name]}
