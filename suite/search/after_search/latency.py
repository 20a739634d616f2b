"""The latency of the front, measured after the search with nothing else running, paired with VGG-16."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from search_spaces import SearchSpace
from suite.machine import best_device
from suite.measure.latency import PairedTimes, time_in_rounds
from suite.networks import VGG16
from suite.presets import PRESETS
from suite.runs.front import front_rows, rows_to_confirm
from suite.runs.info import RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of
from suite.runs.watcher import Watcher
from suite.search.after_search.trained_networks import load_finite
from suite.search.session import Search

VGG16_NAME = "VGG-16"  # no trial has this id
#: The paper's compact networks: network, widths and depths.
PAPER_ARCHITECTURES = {("compact", *preset.widths, *preset.depths) for preset in PRESETS.values()}


def measure_latency(search: Search, info: RunInfo, ledger: RunLedger) -> RunInfo:
    """Measure the latency of the front, of what is confirmed beside it and of the paper's networks.

    All are timed again where one of them has not been, as after a resume that confirms more: what is compared was
    timed in turn.

    Returns:
        ``info`` with how it was measured.
    """
    members = front_rows(ledger.rows, info.objectives, info.error_column, info.most)
    if info.confirmations_of_a_member:
        members = rows_to_confirm(ledger.rows, info)
    if not members or (info.latency and all(map(_is_timed, members))):
        return info
    trials = [*members, *paper_networks(ledger.rows_of("search"), members)]
    latency = search.space.latency
    search.watcher.stage(
        f"timing {len(trials)} networks beside VGG-16, alone ({latency.rounds} paired rounds)"
    )
    time_beside_vgg16(ledger, trials, search.space, search.watcher)
    how = {
        "batch_size": latency.batch_size,
        "rounds": latency.rounds,
        "threads": torch.get_num_threads(),
        "device": best_device().type,
        "precision": "float32",
        "method": "eager PyTorch, channels-last; VGG-16, the front and the paper's compact networks "
        "timed in turn in one process after the search; speed-up is the median over rounds, its spread the "
        "10th to 90th percentile",
    }
    return dataclasses.replace(info, latency=how)


def paper_networks(
    rows: Sequence[Mapping[str, Any]], members: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return a finished trial of each of the paper's compact networks that no member of the front is.

    Their speed can then be compared with the published one.
    """
    of_members = {_architecture(row) for row in members}
    found: dict[tuple[object, ...], Mapping[str, Any]] = {}
    for row in rows:
        architecture = _architecture(row)
        is_wanted = architecture in PAPER_ARCHITECTURES and architecture not in of_members
        if row["status"] == "finished" and is_wanted:
            found.setdefault(architecture, row)
    return list(found.values())


def time_beside_vgg16(
    ledger: RunLedger,
    trials: Sequence[Mapping[str, Any]],
    space: SearchSpace,
    watcher: Watcher,
) -> None:
    """Measure latencies as ratios to VGG-16's, and write them into the trials' rows.

    They are taken at each trial's own resolution, and at the one that the space names (the paper's 224).

    Args:
        ledger: Of the run.
        trials: Their rows.
        space: Has the batch size, rounds and resolution.
        watcher: Is notified of the number of rounds done, and of what is left out.
    """
    loaded = {row["id"]: load_finite(ledger.folder, row, watcher.stage) for row in trials}
    trials = [row for row in trials if loaded[row["id"]] is not None]
    own = sorted({config_of(row).resolution for row in trials})
    plan = [(size, "") for size in own] + [(space.latency.resolution, f"_at_{space.latency.resolution}")]
    for resolution, suffix in plan:
        chosen = [row for row in trials if suffix or config_of(row).resolution == resolution]
        found = {row["id"]: one for row in chosen if (one := loaded[row["id"]]) is not None}
        if not found:
            continue
        networks = {trial_id: network for trial_id, (network, _, _) in found.items()}
        bins = next(label_set.bins for _, _, label_set in found.values())
        times = time_in_rounds(
            {VGG16_NAME: VGG16(bins), **networks},
            resolution=resolution,
            batch_size=space.latency.batch_size,
            rounds=space.latency.rounds,
            on_round=watcher.advance,
        )
        for trial_id in networks:
            ledger.amend(trial_id, _latency_columns(times, trial_id, suffix))


def _is_timed(row: Mapping[str, Any]) -> bool:
    time = row.get("latency_ms_per_image")
    return isinstance(time, float) and math.isfinite(time)


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
