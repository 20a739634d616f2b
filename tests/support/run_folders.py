"""Run folders with two trials, as small as the commands need them."""

import dataclasses
from pathlib import Path

import yaml

from search_spaces import load_dict
from suite.runs.info import DataUsed, RunInfo, RunStatus, write_info
from suite.runs.ledger import RunLedger
from suite.trial import Metrics, Profile, Status, TrialConfig, TrialResult

SPACE = """\
name: small
data: {data}
objectives: [val_mae, params]
trials: 4
base: {{epochs: 2, resolution: 32}}
vary:
  learning_rate: {{low: 1.0e-3, high: 1.0e-2, log: true}}
"""


def info_of(data: Path, status: RunStatus = "finished") -> RunInfo:
    return RunInfo(
        name="small",
        status=status,
        command=["suite", "run"],
        search=load_dict(yaml.safe_load(SPACE.format(data=data))).to_dict(),
        search_file="small.yaml",
        attribute="age",
        resolution=32,
        objectives=["val_mae", "params"],
        trials_asked=2,
        seed=0,
        max_concurrent=1,
        data=DataUsed("stripes", str(data), "ab" * 32, 32, 160, 160, 40, 40, "made", "in order", 0, 25.0),
        references=[],
        versions={},
        git_revision="",
        hardware={},
        started="2026-11-23T22:10:00+00:00",
        seconds=75.0,
    )


def write_run(
    folder: Path, data: Path, *, run: RunStatus = "finished", trial: Status = "finished"
) -> RunInfo:
    """A run folder with two trials that ended so."""
    info = info_of(data, run)
    folder.mkdir(parents=True, exist_ok=True)
    write_info(folder, info)
    ledger = RunLedger(folder)
    for trial_id in ("t0000", "t0001"):
        ledger.add_trial(dataclasses.replace(ended_trial(trial), id=trial_id))
    return info


def ended_trial(trial: Status = "finished") -> TrialResult:
    """A trial that ended so."""
    return TrialResult(
        id="",
        stage="search",
        config=TrialConfig(),
        status=trial,
        cause="" if trial == "finished" else "the loss became NaN",
        profile=Profile(1000, 2000, 3000, 4000),
        validation=Metrics(6.5, 8.0, 0.9, 0.3, 0.5, 0.8, None) if trial == "finished" else None,
        epochs_run=1,
        seconds=2.0,
        precision="float32",
        trials_known=0,
        started=0.5,
    )
