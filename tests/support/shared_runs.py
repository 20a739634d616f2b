"""A synthetic run that shares weights, with scored slices and a confirmation; no number in it was measured."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from suite.presets import Architecture
from suite.runs.front import front_rows
from suite.runs.scored_slices import ScoredSlice, write_scored
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun, count_macs, count_params, run_info

CHOICES = {
    "widths": ((4, 8, 16), (8, 16, 32), (16, 32, 64), (16, 64, 128), (16, 64, 128)),
    "depths": ((1, 2), (1, 2), (1, 2, 3), (1, 2, 3), (1, 2, 3)),
}
LARGEST = Architecture((16, 32, 64, 128, 128), (2, 2, 3, 3, 3))
Way = Literal["procedure", "scratch"]
Confirm = Literal[Way, "both"]


def shared_run(
    make_run: MakeRun,
    trials: int = 12,
    slices: int = 60,
    confirm: Confirm = "procedure",
    confirmed: Sequence[Way] = (),
    seed: int = 0,
    **changes: Any,
) -> Run:
    """A run whose trials start from slices; the first of these were scored, and more.

    Args:
        make_run: The fixture.
        trials: Finished trials.
        slices: Scored slices; 0: there is no ``scored.parquet``.
        confirm: What the run names as its confirmation.
        confirmed: The ways in which the members of the front were trained again, with two seeds.
        seed: Of the architectures and errors.
        changes: Fields of ``RunInfo``.
    """
    rng = np.random.default_rng(seed)
    named = [_drawn(rng) for _ in range(max(trials, slices))]
    configs = [{"widths": one.widths, "depths": one.depths} for one in named[:trials]]
    search = {
        **run_info(trials, 4).search,
        "confirm_seeds": 2 if confirmed else 1,
        "sharing": {"epochs": 10, "random_slices": 2, "confirm": confirm, "recalibration_images": 512},
        "vary": {name: [{"choices": list(stage)} for stage in stages] for name, stages in CHOICES.items()},
    }
    options: dict[str, Any] = {"objectives": ["val_mae", "params"], "search": search, **changes}
    run = make_run(
        trials=trials, epochs=4, statuses=["finished"] * trials, configs=configs, test=False, **options
    )
    tuned = [_error(one) - 1.2 + float(rng.normal(0, 0.15)) for one in named[:trials]]
    table = run.trials.assign(**{run.info.error_column: tuned, "slice_of": "elastic"})
    rows = [*table.to_dict("records"), _elastic(table.iloc[0].to_dict(), "elastic", 0)]
    front = front_rows(table.to_dict("records"), run.info.objectives, run.info.error_column, run.info.most)
    members = [str(row["id"]) for row in front]
    for way in confirmed:
        rows += _again(table, members, way, run.info.error_column, rng)
    if "procedure" in confirmed:
        rows += [_elastic(table.iloc[0].to_dict(), f"elastic-s{number}", number) for number in (1, 2)]
    if slices:
        errors = [_error(one) + float(rng.normal(0, 0.2)) for one in named[:slices]]
        write_scored(run.folder, map(_scored, named, errors), run.info.unit)
    return dataclasses.replace(run, trials=pd.DataFrame(rows).astype({"params": "Int64"}))


def _drawn(rng: np.random.Generator) -> Architecture:
    widths, depths = (
        tuple(int(rng.choice(stage)) for stage in CHOICES[field]) for field in ("widths", "depths")
    )
    return Architecture(widths, depths)


def _error(one: Architecture) -> float:
    """Larger networks err less."""
    return 6.8 + 2.0 * max(6.0 - math.log10(count_params(one.widths, one.depths)), 0.0)


def _scored(one: Architecture, error: float) -> ScoredSlice:
    params = count_params(one.widths, one.depths)
    macs = count_macs(one.widths, one.depths, 48)
    return ScoredSlice(one, error, params, macs, 4 * params + 18_000)


def _elastic(row: Mapping[str, Any], name: str, seed: int) -> dict[str, Any]:
    return {
        **row, "id": name, "stage": "elastic", "slice_of": None, "seed": seed, "epochs": 10, "epochs_run": 10,
        "widths": np.array(LARGEST.widths), "depths": np.array(LARGEST.depths),
        "params": count_params(LARGEST.widths, LARGEST.depths), "seconds": 120.0,
        "macs": count_macs(LARGEST.widths, LARGEST.depths, 48), "started": 0.0,
    }  # fmt: skip


def _again(
    trials: pd.DataFrame, members: Sequence[str], way: Way, error: str, rng: np.random.Generator
) -> list[dict[str, Any]]:
    by_id = trials.set_index("id", drop=False)
    ending = "" if way == "procedure" else "-alone"
    return [
        {
            **by_id.loc[member].to_dict(),
            "id": f"{member}-s{seed}{ending}", "stage": "confirm", "parent": member, "seed": seed,
            "slice_of": f"elastic-s{seed}" if way == "procedure" else None,
            "epochs": by_id.loc[member, "epochs"] + (0 if way == "procedure" else 10),
            error: float(by_id.loc[member, error]) + (0.1 if way == "procedure" else 0.3) + float(rng.normal(0, 0.05)),
        }
        for member in members
        for seed in (1, 2)
    ]  # fmt: skip
