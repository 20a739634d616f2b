"""The frame of all reports: the policy, the style, the scripts and the data around a page's content."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from reports.html.content_security_policy import plotly_style_ids, policy
from reports.html.figure import script_json
from reports.html.stackable_tables import stackable
from reports.html.templating import render

_HERE = Path(__file__).parent
#: What the answer and the front are drawn from. The scripts read all other data once these are there.
FIRST = (
    "run",
    "verdict",
    "runs",
    "trials",
    "axes",
    "notable",
    "networks",
    "network_names",
    "published",
    "growth",
    "sharing",
    "unbeaten",
    "lineage",
)


def framed_page(
    template: str, title: str, parts: Mapping[str, Any], data: Mapping[str, Any], scripts: Sequence[str]
) -> str:
    """Render a template in the frame, with a policy that lets no other script and no other style in.

    The order is the one in which a reader sees things: markup, answer, plotly.js, front. The data that none of
    these needs comes last. A narrow window stacks the rows of tables that the parts have.

    Args:
        template: Extends ``frame.html.j2``.
        title: Of the page.
        parts: What the template shows, by name.
        data: What the scripts draw from; all but ``FIRST`` lies behind them.
        scripts: Names of files in ``script/``. The last one runs after plotly.js, the others before it.
    """
    *before_plotly, last = scripts
    style_attributes, start = _script("style_attributes"), _script(last)
    script, plotly, style = "".join(map(_script, before_plotly)), get_plotlyjs(), _read("page.css")
    html = str(
        render(
            template,
            **{name: stackable(part) if isinstance(part, Markup) else part for name, part in parts.items()},
            title=title,
            policy=Markup(policy([style_attributes, script, plotly, start], [style])),
            style=Markup(style),
            style_ids=plotly_style_ids(plotly),
            first_data=_json({name: part for name, part in data.items() if name in FIRST}),
            later_data=_json({name: part for name, part in data.items() if name not in FIRST}),
            style_attributes=Markup(style_attributes),
            script=Markup(script),
            plotly=Markup(plotly),
            start=Markup(start),
        )
    )
    return html.encode(
        "utf-8", "replace"
    ).decode()  # half a surrogate pair, which JSON may hold, is no character


def _json(data: Mapping[str, Any]) -> Markup:
    try:
        return script_json(_dumped(data))
    except ValueError:  # a number of the run is infinite, which JSON does not know
        return script_json(_dumped(_finite(data)))


def _dumped(data: Any) -> str:
    return json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def _finite(value: Any) -> Any:
    """Return a value without numbers that are infinite or NaN; the scripts show a dash for None."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _script(name: str) -> str:
    return _read(f"script/{name}.js")


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
