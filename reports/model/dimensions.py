"""The dimensions that a search varied, with every trial's value, for parallel coordinates."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.model.trials import Trial
from suite.runs.tables import Run


def dimensions(run: Run, shown: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return the dimensions under the sampler's names (``widths[0]``, ``lambda_l1``), with a value per trial.

    Where values are not numbers, ``words`` has their names and the values are indices into it. ``log`` says
    whether the search sampled the dimension on a logarithmic scale.
    """
    vary: Mapping[str, Any] = run.info.search.get("vary") or {}
    if not shown:
        return []
    table = run.trials.drop_duplicates("id").set_index("id").loc[[trial.id for trial in shown]]
    found = []
    for field, varied in vary.items():
        if field not in table:
            continue
        column = table[field].tolist()
        if isinstance(varied, list | tuple):
            cells = [_scalar(cell, joined=False) for cell in column]
            for stage, one in enumerate(varied):
                values = [_at(cell, stage) for cell in cells]
                found.append(_dimension(f"{field}[{stage}]", values, _log(one)))
        else:
            values = list(map(_scalar, column))
            found.append(
                _dimension(field, _networks(values, shown) if field == "network" else values, _log(varied))
            )
    return found


def _dimension(name: str, values: list[Any], log: bool) -> dict[str, Any]:
    numbers = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers):
        by_log = log and all(value > 0 for value in numbers)
        return {"name": name, "words": None, "log": by_log, "values": values}
    words = list(dict.fromkeys(sorted(str(value) for value in numbers)))
    index = {word: number for number, word in enumerate(words)}
    return {
        "name": name,
        "words": words,
        "log": False,
        "values": [None if value is None else index[str(value)] for value in values],
    }


def _networks(values: list[Any], shown: Sequence[Trial]) -> list[Any]:
    """Name compact networks of the paper's architectures as the paper does."""
    return [
        "TinyAgeNet" if trial.is_tiny else "ThinAgeNet" if trial.is_thin else value
        for value, trial in zip(values, shown, strict=True)
    ]


def _log(varied: Any) -> bool:
    return isinstance(varied, Mapping) and bool(varied.get("log"))


def _at(cell: Any, stage: int) -> Any:
    return cell[stage] if isinstance(cell, list) and stage < len(cell) else None


def _scalar(cell: Any, *, joined: bool = True) -> Any:
    """Return a cell as a JSON type; a tuple as words: 16-32-64."""
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    if isinstance(cell, list | tuple):
        return "-".join(map(str, cell)) if joined else list(cell)
    return None if cell is None or cell is pd.NA or cell != cell else cell
