"""Builders of what a run folder holds; keyword arguments replace the defaults."""

import dataclasses
from typing import Any

from suite.runs.info import DataUsed, RunInfo
from suite.trial import Metrics, Profile, Status, TrialConfig, TrialResult

DATA = DataUsed(
    name="stripes",
    folder="/data",
    fingerprint="ab" * 32,
    side=32,
    train_images=160,
    train_images_stored=160,
    val_images=40,
    test_images=40,
    origin="made",
    protocol="in order",
    skipped=0,
    constant_val_mae=25.0,
)
INFO = RunInfo(
    name="small",
    status="finished",
    command=["suite", "run"],
    search={},
    search_file="small.yaml",
    attribute="age",
    resolution=32,
    objectives=["val_mae", "params"],
    trials_asked=2,
    seed=0,
    max_concurrent=1,
    data=DATA,
    references=[],
    versions={},
    git_revision="",
    hardware={},
    started="2026-11-23T22:10:00+00:00",
    seconds=75.0,
)


def data_used(**changes: Any) -> DataUsed:
    """The data of a run: a small store of stripes."""
    return dataclasses.replace(DATA, **changes)


def run_info(**changes: Any) -> RunInfo:
    """``run.json`` of a finished search for MAE and parameters."""
    return dataclasses.replace(INFO, **changes)


def metrics(mae: float = 6.5, **changes: Any) -> Metrics:
    """Metrics of a mean absolute error, in label units."""
    made = Metrics(mae, rmse=8.0, pearson=0.9, cs3=0.3, cs5=0.5, cs8=0.8, epsilon_error=None)
    return dataclasses.replace(made, **changes)


def trial_result(trial_id: str = "t0000", status: Status = "finished", **changes: Any) -> TrialResult:
    """A trial of one epoch; one that did not finish has a cause and no metrics."""
    finished = status == "finished"
    made = TrialResult(
        id=trial_id,
        stage="search",
        config=TrialConfig(),
        status=status,
        cause="" if finished else "the loss became NaN",
        profile=Profile(1000, 2000, 3000, 4000),
        validation=metrics() if finished else None,
        epochs_run=1,
        seconds=2.0,
        precision="float32",
        trials_known=0,
        started=0.5,
    )
    return dataclasses.replace(made, **changes)
