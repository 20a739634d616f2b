"""Values of ``run.json`` as YAML, the format of search files."""

from collections.abc import Mapping
from typing import Any

import yaml


def one_line(value: Any) -> str:
    """Format a value on one line; a mapping without its outer braces."""
    text = yaml.safe_dump(
        _builtin(value), default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...").removeprefix("{").removesuffix("}")


def block(value: Any) -> str:
    """Format a value over several lines, as in a search file."""
    return yaml.safe_dump(_builtin(value), sort_keys=False, allow_unicode=True, default_flow_style=None)


def _builtin(value: Any) -> Any:
    """Convert mappings and sequences to dict and list, which is all that YAML's safe writer takes."""
    if isinstance(value, Mapping):
        return {str(key): _builtin(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_builtin(inner) for inner in value]
    return value
