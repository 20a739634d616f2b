"""A small run.json, and the results of its trials and epochs."""

import dataclasses

from suite.runs.info import DataUsed, ReferenceNetwork, RunInfo
from suite.trial import EpochResult, Metrics, Profile, TrialConfig, TrialResult

METRICS = Metrics(mae=6.5, rmse=8.0, pearson=0.9, cs3=0.3, cs5=0.5, cs8=0.8, epsilon_error=None)
CONFIG = TrialConfig(widths=(8, 8, 8, 8, 8), depths=(1, 1, 2, 2, 2), lambda_l1=0.25)
AS_TRAINED = dataclasses.replace(CONFIG, precision="bf16")  # a row has what "auto" resolved to
INFO = RunInfo(
    name="tiny",
    status="running",
    command=["suite", "run"],
    search={"name": "tiny"},
    search_file="tiny.yaml",
    attribute="age",
    resolution=48,
    objectives=["val_mae", "params"],
    trials_asked=2,
    seed=0,
    max_concurrent=1,
    data=DataUsed("faces", "/data", "ab" * 32, 64, 100, 100, 20, 20, "made", "by identity", 0, 25.0),
    references=[ReferenceNetwork("VGG-16", 134_674_341, 1, 2, 3)],
    versions={"torch": "2.13.0"},
    git_revision="",
    hardware={"cpus": 2},
    started="2026-11-23T22:10:00+00:00",
)


def result(trial_id: str, status: str = "finished") -> TrialResult:
    return TrialResult(
        id=trial_id,
        stage="search",
        config=CONFIG,
        status=status,  # type: ignore[arg-type]
        cause="" if status == "finished" else "the loss became NaN",
        profile=Profile(1000, 2000, 3000, 4000),
        validation=METRICS if status == "finished" else None,
        epochs_run=1,
        seconds=2.0,
        precision="bf16",
        trials_known=0,
        started=0.5,
    )


def epoch(number: int) -> EpochResult:
    return EpochResult(number, 3.0, 2.0, 1.0, 0.001, 1.0, 100.0, METRICS)
