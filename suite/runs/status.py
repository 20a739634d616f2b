"""How a run stands, read from its folder alone: while it runs, after it ended, or left by a dead driver."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.runs.front import best_error, confirmation_seconds, front_rows
from suite.runs.info import RunInfo
from suite.runs.storage.workplace import is_worked_on, read_run_at


@dataclass(frozen=True)
class RunStatus:
    """What ``suite status`` says, in JSON's types."""

    run: str
    name: str
    status: str  # of run.json, or "killed": it says "running" and no driver is at work
    trials_asked: int
    trials: Mapping[str, int]  # of the search that ended, by their status
    confirming: int  # trainings that confirm the front, which ended
    best_mae: float | None
    unit: str  # of best_mae
    front: int
    started: str
    seconds: float  # wall time of all sessions; of a run without an end, until its last trial ended
    seconds_left: float | None  # of all training, at the pace so far; None: not running, or nothing ended


def status_of(place: Path | str) -> RunStatus:
    """The status of the run at a path or an ``s3://`` URL; nothing there is changed.

    Raises:
        RequestError: it is no run, or the storage cannot be used.
    """
    run = read_run_at(place)
    rows = [{str(name): cell for name, cell in row.items()} for row in run.trials.to_dict("records")]
    searched = [row for row in rows if row["stage"] == "search"]
    best = best_error(searched, run.info.error_column)
    ended: dict[str, int] = {}
    for row in searched:
        ended[row["status"]] = ended.get(row["status"], 0) + 1
    seconds = max([run.info.seconds, *(float(row["started"] + row["seconds"]) for row in rows)])
    status: str = run.info.status
    if status == "running" and is_worked_on(place) is False:
        status = "killed"
    asked = run.info.trials_asked
    missing = asked - len(searched)
    front = front_rows(rows, run.info.objectives, run.info.error_column)
    left = None
    if searched and status == "running":
        left = seconds / len(searched) * missing + _confirming_left(
            run.info, front, len(rows) - len(searched)
        )
    return RunStatus(
        run=str(place),
        name=run.info.name,
        status=status,
        trials_asked=asked,
        trials=ended,
        confirming=sum(row["stage"] == "confirm" for row in rows),
        best_mae=None if math.isnan(best) else best,
        unit=run.info.unit,
        front=len(front),
        started=run.info.started,
        seconds=seconds,
        seconds_left=left,
    )


def _confirming_left(info: RunInfo, front: Sequence[Mapping[str, Any]], done: int) -> float:
    """Seconds until the front is confirmed, if it stays as it is."""
    seeds = int(info.search.get("confirm_seeds", 1))
    asked = len(front) * seeds if seeds > 1 else 0
    if asked <= done:
        return 0.0
    return confirmation_seconds(front, seeds, max(1, info.max_concurrent)) * (1 - done / asked)
