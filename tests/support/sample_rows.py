"""A small run.json, and the results of its trials and epochs."""

import dataclasses

from suite.runs.info import ReferenceNetwork
from suite.trial import EpochResult, Status, TrialConfig, TrialResult
from tests.support.runs import metrics, run_info, trial_result

METRICS = metrics()
CONFIG = TrialConfig(widths=(8, 8, 8, 8, 8), depths=(1, 1, 2, 2, 2), lambda_l1=0.25)
AS_TRAINED = dataclasses.replace(CONFIG, precision="bf16")  # a row has what "auto" resolved to
INFO = run_info(
    name="tiny",
    status="running",
    search={"name": "tiny"},
    references=[ReferenceNetwork("VGG-16", 134_674_341, 1, 2, 3)],
    versions={"torch": "2.13.0"},
    hardware={"cpus": 2},
    seconds=0.0,
)


def result(trial_id: str, status: Status = "finished") -> TrialResult:
    return trial_result(trial_id, status, config=CONFIG, precision="bf16")


def epoch(number: int) -> EpochResult:
    return EpochResult(number, 3.0, 2.0, 1.0, 0.001, 1.0, 100.0, METRICS)
