"""Small pieces of HTML that sections and tables share. What comes from a run is escaped where it enters."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import yaml

from reports import formatting
from suite.runs.info import RunInfo


def mae(value: float, info: RunInfo) -> str:
    """An error with its unit."""
    return f"{formatting.error(value, info.unit)}\u00a0{info.unit}"


def count(number: int, noun: str) -> str:
    """1 trial, 2 trials."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def opener(trial_id: str) -> str:
    """A trial's name, which opens it in its own section where scripts run."""
    name = escape(trial_id)
    return f'<button type="button" class="link" data-trial="{name}">{name}</button>'


def definitions(rows: Iterable[tuple[str, str]]) -> str:
    """A definition list; titles are ours, contents are HTML already."""
    return "<dl>" + "".join(f"<dt>{title}</dt><dd>{content}</dd>" for title, content in rows) + "</dl>"


def scrolling(label: str, table: str) -> str:
    """A table that scrolls in its own box, by keyboard too, where the page is narrow."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{table}</div>'


def mapping(values: Mapping[str, Any]) -> str:
    """A line of HTML a key."""
    return "<br>".join(f"{escape(str(key))}: {escape(inline(value))}" for key, value in values.items())


def inline(value: Any) -> str:
    """A value as one line of YAML; not escaped."""
    text = yaml.safe_dump(
        plain(value), default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...").removeprefix("{").removesuffix("}")


def plain(value: Any) -> Any:
    """Mappings and sequences as dict and list, which is all that YAML's safe writer takes."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
