"""The lineage of a network: what it was made from, step by step, as far as the rows of its run say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class LineageStep:
    """One network of a lineage.

    Attributes:
        id: Id of its row.
        how: How it was made, in a few words.
        epochs: Epochs of training since the step before.
        params: Parameters.
        error: Validation MAE, label units.
    """

    id: str
    how: str
    epochs: int
    params: int
    error: float


def lineage(rows: Mapping[str, Row], trial_id: str, error_column: str) -> tuple[LineageStep, ...]:
    """Return a trial and what it was made from, the oldest first.

    A trial that was trained from scratch is its only step. Rows that are made from each other in a circle, which no
    run writes, are followed once.

    Args:
        rows: Rows of ``trials.parquet`` by id.
        trial_id: The trial.
        error_column: The column of the validation MAE.
    """
    steps: list[LineageStep] = []
    row: Row | None = rows[trial_id]
    seen: set[str] = set()
    while row is not None:
        seen.add(str(row["id"]))
        named = elastic_parent(row) or row.get("parent")
        parent = rows.get(named) if isinstance(named, str) and named not in seen else None
        steps.insert(0, _step(row, parent, error_column))
        row = parent
    return tuple(steps)


def pruning_parent(row: Row) -> str | None:
    """Return the id of the trial whose channels a row's network kept; None where it was not pruned."""
    pruned_in_search = row["stage"] in ("search", "confirm") and isinstance(row.get("pruned_from"), str)
    parent = row.get("parent")
    return parent if isinstance(parent, str) and (pruned_in_search or row["stage"] == "pruned") else None


def elastic_parent(row: Row) -> str | None:
    """Return the id of the elastic training whose slice a row's training started from; None where there is none."""
    slice_of = row.get("slice_of")
    return slice_of if isinstance(slice_of, str) else None


def _step(row: Row, parent: Row | None, error_column: str) -> LineageStep:
    epochs = 0 if row["stage"] == "int8" else int(row["epochs"])
    return LineageStep(
        str(row["id"]), _how(row, parent), epochs, int(row["params"]), float(row[error_column])
    )


def _how(row: Row, parent: Row | None) -> str:
    if parent is None:
        made = {"parent": "from another run", "elastic": "trained with all its slices"}
        return made.get(str(row["stage"]), "trained")
    if elastic_parent(row):
        return f"slice of {parent['id']}, trained on"
    if row["stage"] == "int8":
        return f"{parent['id']} in int8"
    taught = f", taught by {parent['id']}" if (row.get("distill_weight") or 0) > 0 else ""
    if pruning_parent(row):
        return f"channels of {parent['id']} that matter most by {row['importance']}{taught}"
    return f"from scratch{taught}"
