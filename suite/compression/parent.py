"""The parent of a search: its trials are pruned from it or learn from it, and start with its settings."""

from pathlib import Path
from typing import Any

from torch import nn

from search_spaces.trial_fields import FIELDS
from suite.compression.channel_pruning import check_importance, cut, score_channels
from suite.data.dataset import Dataset
from suite.deployment.trained_trial import finished_row, weights_of
from suite.errors import RequestError
from suite.files.paths import resolved
from suite.networks import widths_of
from suite.networks.weights import load_network
from suite.runs.tables import read_run
from suite.trial import TrialConfig

#: Fields that a search does not take from its parent: what the parent itself was made from, and how to prune it.
NOT_TAKEN_FROM_PARENT = (
    "backbone",
    "warmup_method",
    "warmup_epochs",
    "keep",
    "importance",
    "distill_weight",
    "temperature",
)
#: Fields that a network shares with the network it is cut out of.
SHARED_WITH_PARENT = (
    "network",
    "pooling",
    "method",
    "attribute",
    "resolution",
    "label_low",
    "label_high",
    "label_step",
)


def parent_settings(parent: str) -> tuple[str, dict[str, Any]]:
    """Return what a search takes from its parent.

    Args:
        parent: ``RUN:ID``, a run folder and a finished trial of that run.

    Returns:
        The data set in the form of ``suite run --data``, and fields of ``base`` by name.

    Raises:
        RequestError: There is no such trial, or it has no weights.
    """
    run_name, colon, trial_id = parent.rpartition(":")
    if not colon or not run_name or not trial_id:
        raise RequestError(f"--parent {parent} names no trial; write it as RUN:ID, such as runs/faces:t0000")
    run = read_run(resolved(run_name))
    row = finished_row(run, trial_id)
    if row["stage"] == "int8":
        raise RequestError(f"{trial_id} is int8 already; name {row['parent']}, which it was made from")
    weights = weights_of(run.folder, trial_id)
    _, config, _ = load_network(weights)
    fields = {name: value for name, value in config.to_json().items() if name in FIELDS}
    taken = {name: value for name, value in fields.items() if name not in NOT_TAKEN_FROM_PARENT}
    data = run.info.data
    return (
        data.name if data.name == "faces" else data.folder,
        {**taken, "pruned_from": str(weights), "teacher": str(weights)},
    )


def network_from_parent(config: TrialConfig, dataset: Dataset) -> nn.Module | None:
    """Return the network that a training starts from, cut out of ``config.pruned_from``; None where that is unset.

    Raises:
        RequestError: The file cannot be read, or a network of the configuration's widths cannot be cut out of it.
    """
    if config.pruned_from is None:
        return None
    parent, parent_config, label_set = load_network(Path(config.pruned_from))
    check_fits_parent(config, parent_config)
    check_importance(config.importance, parent_config)
    scores = score_channels(parent, parent_config, label_set, config.importance, dataset.splits["train"])
    return cut(parent, parent_config, label_set.bins, widths_of(config), scores)


def check_fits_parent(config: TrialConfig, parent: TrialConfig) -> None:
    """Refuse a configuration whose network cannot be cut out of its parent.

    Raises:
        RequestError: The two differ in kind, or the network is wider than its parent.
    """
    fields = [*SHARED_WITH_PARENT, *(["depths"] if config.network == "compact" else [])]
    for field in fields:
        wanted, given = getattr(config, field), getattr(parent, field)
        if wanted != given:
            raise RequestError(
                f"{config.pruned_from} has {field} {given} and the trial {wanted}; set {field} to {given}, "
                "because pruning keeps the kind of a network"
            )
    wanted_widths, parent_widths = widths_of(config), widths_of(parent)
    if any(wanted > given for wanted, given in zip(wanted_widths, parent_widths, strict=True)):
        raise RequestError(
            f"{config.pruned_from} has widths {parent_widths} and the trial {wanted_widths}; set widths that are "
            "no larger than the parent's"
        )
