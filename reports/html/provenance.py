"""The section with everything needed to repeat the run."""

import shlex
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from reports.html.templating import render
from reports.html.yaml_text import block, one_line
from suite.runs.info import RunInfo


def provenance(info: RunInfo, *, shortened: bool = False) -> Markup:
    """Render command, versions, hardware, data and search space of a run.

    Args:
        info: The run.
        shortened: Its paths are names, and its addresses are left out, which the section says.
    """
    return render(
        "provenance",
        info=info,
        command=shlex.join(info.command),
        versions=", ".join(f"{name} {version}" for name, version in info.versions.items()),
        hardware=_lines(info.hardware),
        latency=_lines(info.latency),
        space=block(info.search),
        shortened=shortened,
    )


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{key}: {one_line(value)}" for key, value in values.items()]
