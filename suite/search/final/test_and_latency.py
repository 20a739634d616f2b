"""After the search: what it came to is judged on the test split once, and timed alone."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import torch

from search_spaces import SearchSpace
from suite.data.dataset import load_dataset
from suite.data.store import Store
from suite.machine import best_device
from suite.measure.latency import PairedTimes, time_in_rounds
from suite.methods.metrics import measure
from suite.networks import VGG16, to_device
from suite.networks.weights import load_network
from suite.presets import PRESETS
from suite.runs.front import front_rows
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of, metric_columns
from suite.search.final.predictions import JUDGED, write_predictions
from suite.search.session import Search
from suite.training.evaluation import predict
from suite.training.recipe import Precision
from suite.trial import UNIT

Progress = Callable[[int, int], None]
VGG16_NAME = "VGG-16"  # no trial has this id


def judge(search: Search, info: RunInfo, ledger: RunLedger) -> RunInfo:
    """Read the test split and take the times that are not taken yet; what ``run.json`` then says."""
    members = front_rows(ledger.rows, info.objectives, info.error_column)
    space = search.space
    judged = to_judge(ledger.rows, members, seeds=space.seeds, confirm_seeds=space.confirm_seeds)
    if judged:
        search.watcher.stage(f"judging {len(judged)} trained networks on the test split")
        judge_on_test(ledger, judged, search.store, on_trial=search.watcher.advance)
    if not members or info.latency:  # nothing to time, or timed already
        return info
    timed = [*members, *named_networks(ledger.rows_of("search"), members)]
    search.watcher.stage(
        f"timing {len(timed)} networks beside VGG-16, alone ({space.latency.rounds} paired rounds)"
    )
    time_beside_vgg16(ledger, timed, space, on_round=search.watcher.advance)
    how = {
        "batch_size": space.latency.batch_size,
        "rounds": space.latency.rounds,
        "threads": torch.get_num_threads(),
        "device": best_device().type,
        "precision": "float32",
        "method": "eager PyTorch, channels-last; VGG-16, the front and the paper's compact networks "
        "timed in turn in one process after the search; speed-up is the median over rounds, its spread the "
        "10th to 90th percentile",
    }
    return dataclasses.replace(info, latency=how)


def to_judge(
    rows: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]],
    *,
    seeds: int,
    confirm_seeds: int,
) -> list[Mapping[str, Any]]:
    """The trials that the test split is read for and that it was not read for before an interruption.

    They are the trainings that confirm the front, or, where it is not trained again, its members. Where
    each point was trained with several seeds they are all that finished: such a run compares what was laid
    down before it began, and chooses nothing.
    """
    finished = [row for row in rows if row["status"] == "finished"]
    searched = [row for row in finished if row["stage"] == "search"]
    candidates: Sequence[Mapping[str, Any]] = searched if seeds > 1 else members
    if confirm_seeds > 1:
        candidates = [row for row in finished if row["stage"] == "confirm"]
    return [row for row in candidates if not _is_judged(row)]


def judge_on_test(
    ledger: RunLedger, judged: Sequence[Mapping[str, Any]], store: Store, on_trial: Progress
) -> None:
    """Read the test split, once for each of these trials; selection never sees it."""
    device = best_device()
    for done, row in enumerate(judged, 1):
        network, config, label_set = load_network(_weights(ledger.folder, row["id"]))
        parts = load_dataset(store, config.attribute, config.resolution).splits
        precision: Precision = row["precision"] if row["precision"] in get_args(Precision) else "float32"
        network = to_device(network, device)
        said = {
            split: predict(
                network, parts[split], label_set, method=config.method, precision=precision, device=device
            )
            for split in JUDGED
        }
        write_predictions(ledger.folder, row["id"], store, config.attribute, said)
        metrics = measure(said["test"], parts["test"].labels, parts["test"].deviations)
        ledger.amend(row["id"], metric_columns(metrics, "test", UNIT[config.attribute]))
        on_trial(done, len(judged))


def named_networks(
    rows: Sequence[Mapping[str, Any]], members: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """A finished trial of each of the paper's compact networks, so that its speed can be checked.

    Those that the members of the front show already are left out.
    """
    shown = {_architecture(row) for row in members}
    found: dict[tuple[object, ...], Mapping[str, Any]] = {}
    for row in rows:
        architecture = _architecture(row)
        if row["status"] == "finished" and architecture in _NAMED and architecture not in shown:
            found.setdefault(architecture, row)
    return list(found.values())


def time_beside_vgg16(
    ledger: RunLedger, timed: Sequence[Mapping[str, Any]], space: SearchSpace, on_round: Progress
) -> None:
    """Latency of trials as a ratio to VGG-16's, nothing else running.

    Taken at each trial's own resolution, and at the one that the space names (the paper's 224).
    """
    own = sorted({config_of(row).resolution for row in timed})
    plan = [(size, "") for size in own] + [(space.latency.resolution, f"_at_{space.latency.resolution}")]
    for resolution, suffix in plan:
        chosen = [row for row in timed if suffix or config_of(row).resolution == resolution]
        loaded = {row["id"]: load_network(_weights(ledger.folder, row["id"])) for row in chosen}
        networks = {trial_id: network for trial_id, (network, _, _) in loaded.items()}
        bins = next(label_set.bins for _, _, label_set in loaded.values())
        times = time_in_rounds(
            {VGG16_NAME: VGG16(bins), **networks},
            resolution=resolution,
            batch_size=space.latency.batch_size,
            rounds=space.latency.rounds,
            on_round=on_round,
        )
        for trial_id in networks:
            ledger.amend(trial_id, _latency_columns(times, trial_id, suffix))


_NAMED = {("compact", *preset.widths, *preset.depths) for preset in PRESETS.values()}


def _is_judged(row: Mapping[str, Any]) -> bool:
    error = row[f"test_mae_{UNIT[row['attribute']]}"]  # None where the row was read back from its file
    return error is not None and math.isfinite(error)


def _architecture(row: Mapping[str, Any]) -> tuple[object, ...]:
    config = config_of(row)
    return (config.network, *config.widths, *config.depths)


def _latency_columns(times: PairedTimes, trial_id: str, suffix: str) -> dict[str, float]:
    speedup = times.speedup(trial_id, over=VGG16_NAME)
    return {
        f"latency_ms_per_image{suffix}": times.ms_per_image(trial_id),
        f"speedup_vs_vgg16{suffix}": speedup.value,
        f"speedup_vs_vgg16{suffix}_low": speedup.low,
        f"speedup_vs_vgg16{suffix}_high": speedup.high,
    }


def _weights(folder: Path, trial_id: str) -> Path:
    return folder / "weights" / f"{trial_id}.safetensors"
