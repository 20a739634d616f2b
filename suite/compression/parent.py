"""The parent of a search: what it is cut out of, or learns from, and where its trials start."""

from pathlib import Path
from typing import Any

from torch import nn

from search_spaces import FIELDS
from suite.compression.channel_pruning import check_importance, cut, score_channels
from suite.data.dataset import Dataset
from suite.deployment.trained_trial import finished_row, weights_of
from suite.errors import RequestError
from suite.networks import widths_of
from suite.networks.weights import load_network
from suite.runs.tables import read_run
from suite.trial import TrialConfig

#: What a search from a parent does not take from it: where the parent came from itself.
NOT_INHERITED = (
    "backbone",
    "warmup_method",
    "warmup_epochs",
    "keep",
    "importance",
    "distill_weight",
    "temperature",
)


def inherited(named: str) -> tuple[str, dict[str, Any]]:
    """What a search takes from the trial that is named as its parent.

    Args:
        named: ``RUN:ID``, a run folder and a finished trial of it.

    Returns:
        The data set as ``suite run --data`` takes it, and fields of ``base`` by name.

    Raises:
        RequestError: there is no such trial, or it has no weights.
    """
    run_name, colon, trial_id = named.rpartition(":")
    if not colon or not run_name or not trial_id:
        raise RequestError(f"--parent {named} names no trial; write it as RUN:ID, such as runs/faces:t0000")
    run = read_run(Path(run_name).resolve())
    row = finished_row(run, trial_id)
    if row["stage"] == "int8":
        raise RequestError(f"{trial_id} is int8 already; name {row['parent']}, which it was made from")
    file = weights_of(run.folder, trial_id)
    _, config, _ = load_network(file)
    fields = {name: value for name, value in config.to_json().items() if name in FIELDS}
    own = {name: value for name, value in fields.items() if name not in NOT_INHERITED}
    data = run.info.data
    return (
        data.name if data.name == "faces" else data.folder,
        {**own, "pruned_from": str(file), "teacher": str(file)},
    )


def starting_network(config: TrialConfig, dataset: Dataset) -> nn.Module | None:
    """The network that a training starts from: cut out of ``config.pruned_from``; None where it names none.

    Raises:
        RequestError: the file cannot be read, or no network of the configuration's widths is part of it.
    """
    if config.pruned_from is None:
        return None
    parent, its, label_set = load_network(Path(config.pruned_from))
    check_pruned_from(config, its)
    check_importance(config.importance, its)
    scores = score_channels(parent, its, label_set, config.importance, dataset.splits["train"])
    return cut(parent, its, label_set.bins, widths_of(config), scores)


def check_pruned_from(config: TrialConfig, parent: TrialConfig) -> None:
    """Refuse a configuration whose network is no part of its parent's.

    Raises:
        RequestError: so it is.
    """
    fields = [
        "network",
        "pooling",
        "method",
        "attribute",
        "resolution",
        "label_low",
        "label_high",
        "label_step",
    ]
    fields += ["depths"] if config.network == "compact" else []
    for field in fields:
        ours, its = getattr(config, field), getattr(parent, field)
        if ours != its:
            raise RequestError(
                f"{config.pruned_from} has {field} {its} and the trial {ours}; set {field} to {its}, as what "
                "is cut out of a network is of its kind"
            )
    if any(ours > its for ours, its in zip(widths_of(config), widths_of(parent), strict=True)):
        raise RequestError(
            f"{config.pruned_from} has widths {widths_of(parent)} and the trial {widths_of(config)}; nothing "
            "wider can be cut out of it"
        )
