"""What a network was made from, as the rows of its run say."""

from typing import Any

from suite.runs.lineage import LineageStep, lineage, pruning_parent

ROWS: dict[str, dict[str, Any]] = {
    "t0000": {"id": "t0000", "stage": "search", "parent": None, "epochs": 12, "params": 900, "mae": 5.0},
    "t0000-p": {
        "id": "t0000-p",
        "stage": "pruned",
        "parent": "t0000",
        "epochs": 3,
        "params": 250,
        "mae": 5.5,
        "importance": "taylor",
        "distill_weight": 0.5,
    },
    "t0000-p-int8": {
        "id": "t0000-p-int8",
        "stage": "int8",
        "parent": "t0000-p",
        "epochs": 3,
        "params": 250,
        "mae": 5.6,
    },
}


def test_a_lineage_begins_with_the_training_from_scratch() -> None:
    assert lineage(ROWS, "t0000-p-int8", "mae") == (
        LineageStep("t0000", "trained", 12, 900, 5.0),
        LineageStep("t0000-p", "channels of t0000 that matter most by taylor, taught by t0000", 3, 250, 5.5),
        LineageStep("t0000-p-int8", "t0000-p in int8", 0, 250, 5.6),
    )


def test_a_trial_from_scratch_is_its_only_step() -> None:
    assert [step.id for step in lineage(ROWS, "t0000", "mae")] == ["t0000"]


def test_only_pruned_networks_have_a_pruning_parent() -> None:
    assert [pruning_parent(row) for row in ROWS.values()] == [None, "t0000", None]
    searched = {**ROWS["t0000"], "parent": "parent", "pruned_from": "t0000.safetensors"}
    assert pruning_parent(searched) == "parent"


def test_rows_that_are_made_from_each_other_are_followed_once() -> None:
    circle = {**ROWS, "t0000": {**ROWS["t0000"], "parent": "t0000-p-int8"}}
    assert [step.id for step in lineage(circle, "t0000", "mae")] == ["t0000-p", "t0000-p-int8", "t0000"]
    own_parent = {"t0000": {**ROWS["t0000"], "parent": "t0000"}}
    assert [step.id for step in lineage(own_parent, "t0000", "mae")] == ["t0000"]


def test_a_row_without_a_parent_was_not_pruned_from_one_called_none() -> None:
    row = {"id": "t0000", "stage": "search", "parent": None, "pruned_from": "a.safetensors"}
    assert pruning_parent(row) is None
