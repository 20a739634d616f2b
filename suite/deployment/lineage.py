"""What a network was made from, step by step back to a training from scratch, as far as its run knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from suite.deployment.trained_trial import TrainedTrial


@dataclass(frozen=True)
class Step:
    """One network on the way.

    Attributes:
        id: of its row.
        how: it was made, in a few words.
        epochs: that it was trained for, from what it was made from.
        params: parameters.
        error: validation MAE, label units.
    """

    id: str
    how: str
    epochs: int
    params: int
    error: float


def descent(trained: TrainedTrial) -> tuple[Step, ...]:
    """The trial and what it was made from, the first first; the trial alone where it began from scratch."""
    rows = {str(row["id"]): row for row in trained.run.trials.to_dict("records")}
    steps: list[Step] = []
    row: Mapping[Any, Any] | None = rows[trained.id]
    while row is not None:
        parent = rows.get(row["parent"]) if isinstance(row.get("parent"), str) else None
        steps.insert(0, _step(row, parent, trained.run.info.error_column))
        row = parent
    return tuple(steps)


def pruned_parent(row: Mapping[Any, Any]) -> str | None:
    """The trial whose channels the row's network kept; None where it is cut out of none."""
    of_a_search = row["stage"] in ("search", "confirm") and isinstance(row.get("pruned_from"), str)
    return str(row["parent"]) if of_a_search or row["stage"] == "pruned" else None


def _step(row: Mapping[Any, Any], parent: Mapping[Any, Any] | None, error: str) -> Step:
    epochs = 0 if row["stage"] == "int8" else int(row["epochs"])
    return Step(str(row["id"]), _how(row, parent), epochs, int(row["params"]), float(row[error]))


def _how(row: Mapping[Any, Any], parent: Mapping[Any, Any] | None) -> str:
    if parent is None:
        return "from another run" if row["stage"] == "parent" else "trained"
    if row["stage"] == "int8":
        return f"{parent['id']} in int8"
    taught = f", taught by {parent['id']}" if row.get("distill_weight", 0) > 0 else ""
    if pruned_parent(row):
        return f"channels of {parent['id']} that matter most by {row['importance']}{taught}"
    return f"from scratch{taught}"
