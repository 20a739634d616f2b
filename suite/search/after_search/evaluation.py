"""The evaluation on the test split, which is read once for each trial, after all selection."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from suite.data.dataset import load_dataset
from suite.data.store import Store
from suite.machine import best_device
from suite.methods.metrics import measure
from suite.networks import to_device
from suite.runs.front import front_rows
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.tables import metric_columns
from suite.runs.watcher import Watcher
from suite.search.after_search.predictions import PREDICTED_SPLITS, write_predictions
from suite.search.after_search.trained_networks import load_finite
from suite.search.session import Search
from suite.training.evaluation import predict_with_deviations
from suite.training.recipe import Precision
from suite.trial import UNIT


def evaluate_on_test(search: Search, info: RunInfo, ledger: RunLedger) -> None:
    """Read the test split for the trials that confirm or make up the front, where it has not been read yet."""
    space = search.space
    members = front_rows(ledger.rows, info.objectives, info.error_column, info.most)
    trials = to_evaluate(ledger.rows, members, seeds=space.seeds, confirm_seeds=space.confirm_seeds)
    if trials:
        search.watcher.stage(f"evaluating {len(trials)} trained networks on the test split")
        evaluate_trials(ledger, trials, search.store, search.watcher)


def to_evaluate(
    rows: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]],
    *,
    seeds: int,
    confirm_seeds: int,
) -> list[Mapping[str, Any]]:
    """Return the rows of the trials that the test split is still to be read for.

    They are the trainings that confirm the front, or its members where it is not confirmed. In a grid with
    several seeds they are all finished trials: such a run compares points that were fixed before it began,
    and selects nothing.

    Args:
        rows: Of the run.
        members: Rows of the front's members.
        seeds: With which every point of a grid is trained.
        confirm_seeds: Of the search; 1: the front is not confirmed.
    """
    finished = [row for row in rows if row["status"] == "finished"]
    searched = [row for row in finished if row["stage"] == "search"]
    candidates: Sequence[Mapping[str, Any]] = searched if seeds > 1 else members
    if confirm_seeds > 1:
        candidates = [row for row in finished if row["stage"] == "confirm"]
    return [row for row in candidates if not _has_test_error(row)]


def evaluate_trials(
    ledger: RunLedger,
    trials: Sequence[Mapping[str, Any]],
    store: Store,
    watcher: Watcher,
) -> None:
    """Write each trial's predictions, and its errors on the test split into its row.

    A network that cannot estimate anything is left out.

    Args:
        ledger: Of the run.
        trials: Their rows.
        store: The data.
        watcher: Is notified of the number of trials done, and of what is left out.
    """
    device = best_device()
    for done, row in enumerate(trials, 1):
        if (loaded := load_finite(ledger.folder, row, watcher.stage)) is None:
            continue
        network, config, label_set = loaded
        splits = load_dataset(store, config.attribute, config.resolution).splits
        precision: Precision = row["precision"] if row["precision"] in get_args(Precision) else "float32"
        network = to_device(network, device)
        predictions = {
            split: predict_with_deviations(
                network, splits[split], label_set, method=config.method, precision=precision, device=device
            )
            for split in PREDICTED_SPLITS
        }
        write_predictions(ledger.folder, row["id"], store, config, predictions)
        found, test = predictions["test"], splits["test"]
        metrics = measure(found.estimates, test.labels, test.deviations, test.groups, one_pass=found.one_pass)
        ledger.amend(row["id"], metric_columns(metrics, "test", UNIT[config.attribute]))
        watcher.advance(done, len(trials))


def _has_test_error(row: Mapping[str, Any]) -> bool:
    error = row[f"test_mae_{UNIT[row['attribute']]}"]  # None where the row was read back from its file
    return error is not None and math.isfinite(error)
