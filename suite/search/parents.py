"""The trained networks that a search starts from: parent, teacher and backbone, checked before it begins."""

import dataclasses
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from search_spaces import Choices, Dimension, FloatRange, SearchSpace, Value
from suite.compression.channel_pruning import check_importance
from suite.compression.parent import check_fits_parent
from suite.data.dataset import load_dataset
from suite.data.store import Store
from suite.errors import RequestError
from suite.files.paths import resolved
from suite.measure.profiling import profile_trial
from suite.networks.weights import load_network, save_network
from suite.optional_dependencies import need
from suite.runs.journal import Row
from suite.runs.ledger import RunLedger
from suite.search.trial_factory import TrialFactory
from suite.training.distillation import check_teacher
from suite.training.evaluation import evaluate
from suite.training.inputs import CPU
from suite.training.recipe import resolve_precision
from suite.training.weight_files import WEIGHT_FIELDS, pin_weight_files, read_state
from suite.trial import TrialConfig, TrialResult

#: The id of the parent's row, and its stage.
PARENT = "parent"


def check_backbones(space: SearchSpace) -> None:
    """Refuse a backbone that is missing or cannot be read.

    Raises:
        RequestError: One is.
    """
    varied = space.vary.get("backbone")
    for file in varied.values if isinstance(varied, Choices) else (space.base.backbone,):
        if file is not None:
            pin_weight_files(TrialConfig(backbone=str(file)))
            read_state(Path(str(file)))


def check_parent(trials: TrialFactory) -> None:
    """Refuse a parent or teacher that is missing, or that does not match the trials of the space.

    Raises:
        RequestError: The file cannot be read, or its network does not match.
    """
    space, base = trials.space, trials.space.base
    if base.teacher is None and "teacher" not in space.vary and _distills(space):
        raise RequestError(
            f"the search {space.name} uses distillation but names no teacher; add --parent RUN:ID, or set "
            "base.teacher to a file of weights"
        )
    for field in ("teacher", "pruned_from"):
        if (file := getattr(base, field)) is not None:
            pin_weight_files(TrialConfig(**{field: file}))
    if base.teacher is None and base.pruned_from is None:
        return
    point: dict[str, Value] = {name: _any_value(dimension) for name, dimension in space.dimensions().items()}
    config = trials.config(point)
    if base.teacher is not None and _distills(space):
        check_teacher(config, load_network(Path(base.teacher))[1])
    if base.pruned_from is not None:
        need("torch_pruning", "Pruning")
        parent = load_network(Path(base.pruned_from))[1]
        check_fits_parent(config, parent)
        for importance in _importances(space):
            check_importance(importance, parent)


def check_same_parent(space: SearchSpace, rows: Collection[Row]) -> None:
    """Refuse to resume a search whose parent, teacher or backbone file has changed.

    Args:
        space: Of the run.
        rows: Of the run; each names its files with their SHA-256.

    Raises:
        RequestError: A file has changed, or cannot be read.
    """
    for field in WEIGHT_FIELDS:
        if (file := getattr(space.base, field)) is None:
            continue
        path = str(resolved(file))
        sha256 = getattr(pin_weight_files(TrialConfig(**{field: file})), f"{field}_sha256")
        for row in rows:
            if row[field] == path and row[f"{field}_sha256"] not in (None, sha256):
                raise RequestError(
                    f"{field} {path} is another file than when {row['id']} was made; put the old one back, "
                    "or start a new run"
                )


def add_parent(ledger: RunLedger, space: SearchSpace, store: Store) -> None:
    """Add the parent's row, evaluated on validation, and its weights to a run that lacks them."""
    if space.base.pruned_from is None or any(row["id"] == PARENT for row in ledger.rows):
        return
    began = time.perf_counter()
    network, config, label_set = load_network(Path(space.base.pruned_from))
    precision = resolve_precision(config.precision, CPU)
    val = load_dataset(store, config.attribute, config.resolution).splits["val"]
    # The row records which file it was, so that a resumption does not take another for it.
    pinned_config = pin_weight_files(
        dataclasses.replace(config, pruned_from=space.base.pruned_from, pruned_from_sha256=None)
    )
    metrics = evaluate(network, val, label_set, method=config.method, precision=precision, device=CPU)
    save_network(network, config, ledger.folder / "weights" / f"{PARENT}.safetensors")
    ledger.add_trial(
        TrialResult(
            id=PARENT,
            stage="parent",
            config=pinned_config,
            status="finished",
            cause="",
            profile=profile_trial(config, label_set.bins),
            validation=metrics,
            epochs_run=0,
            seconds=time.perf_counter() - began,
            precision=precision,
            trials_known=0,
            started=0.0,
        )
    )


def parent_of_trials(space: SearchSpace) -> str | None:
    """Return the id in the column ``parent`` of the search's trials."""
    return None if space.base.pruned_from is None else PARENT


def _distills(space: SearchSpace) -> bool:
    varied = space.vary.get("distill_weight")
    if isinstance(varied, FloatRange):
        return varied.high > 0
    if isinstance(varied, Choices):
        return any(varied.values)
    return space.base.distill_weight > 0


def _importances(space: SearchSpace) -> Iterable[Any]:
    varied = space.vary.get("importance")
    return varied.values if isinstance(varied, Choices) else [space.base.importance]


def _any_value(dimension: Dimension) -> Value:
    return dimension.values[0] if isinstance(dimension, Choices) else dimension.low
