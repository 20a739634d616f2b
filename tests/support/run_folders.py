"""Run folders with two trials, as small as the commands need them."""

from pathlib import Path

import yaml

from search_spaces import load_dict
from suite.runs.info import RunInfo, RunStatus, write_info
from suite.runs.ledger import RunLedger
from suite.trial import Status
from tests.support.runs import data_used, run_info, trial_result

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
    return run_info(
        status=status,
        search=load_dict(yaml.safe_load(SPACE.format(data=data))).to_dict(),
        data=data_used(folder=str(data)),
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
        ledger.add_trial(trial_result(trial_id, trial))
    return info
