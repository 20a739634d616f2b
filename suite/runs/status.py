"""The status of a run, read from its folder alone: while it runs, after it ended, or after its driver was killed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.runs.front import best_error, confirmation_seconds, confirming_rows, front_rows, rows_to_confirm
from suite.runs.info import RunInfo
from suite.runs.storage.location import has_driver, read_run_at


@dataclass(frozen=True)
class RunProgress:
    """What ``suite status`` reports, in types of JSON.

    Attributes:
        run: The location of the run.
        name: The name of the search.
        status: The status in ``run.json``; "killed" if that says "running" and no driver is at work.
        trials_asked: How many trials were requested.
        trials: How many trials of the search have ended, by their status.
        confirming: How many trainings that confirm the front have ended.
        best_mae: The smallest validation MAE; None before the first result.
        unit: The unit of ``best_mae``.
        front: How many members the front has so far.
        started: When the run began, in ISO 8601 with the time zone.
        seconds: Wall time of all sessions; for a run that has not ended, until its last trial ended.
        seconds_left: The estimated time of all training left; None if nothing runs or nothing has ended.
    """

    run: str
    name: str
    status: str
    trials_asked: int
    trials: Mapping[str, int]
    confirming: int
    best_mae: float | None
    unit: str
    front: int
    started: str
    seconds: float
    seconds_left: float | None


def status_of(location: Path | str) -> RunProgress:
    """Return the status of the run at a path or an ``s3://`` URL, and change nothing there.

    Raises:
        RequestError: There is no run, or the storage cannot be used.
    """
    run = read_run_at(location)
    rows = [{str(name): cell for name, cell in row.items()} for row in run.trials.to_dict("records")]
    searched = [row for row in rows if row["stage"] == "search"]
    best = best_error(searched, run.info.error_column)
    ended: dict[str, int] = {}
    for row in searched:
        ended[row["status"]] = ended.get(row["status"], 0) + 1
    seconds = max([run.info.seconds, *(float(row["started"] + row["seconds"]) for row in rows)])
    status: str = run.info.status
    if status == "running" and has_driver(location) is False:
        status = "killed"
    requested = run.info.trials_asked
    missing = requested - len(searched)
    confirming = len(confirming_rows(rows, run.info))
    front = front_rows(rows, run.info.objectives, run.info.error_column, run.info.most)
    left = None
    if searched and status == "running":
        left = seconds / len(searched) * missing + _confirmation_left(run.info, rows, confirming)
    return RunProgress(
        run=str(location),
        name=run.info.name,
        status=status,
        trials_asked=requested,
        trials=ended,
        confirming=confirming,
        best_mae=None if math.isnan(best) else best,
        unit=run.info.unit,
        front=len(front),
        started=run.info.started,
        seconds=seconds,
        seconds_left=left,
    )


def _confirmation_left(info: RunInfo, rows: Sequence[Mapping[str, Any]], done: int) -> float:
    """Estimate the seconds until the front is confirmed, if it stays as it is."""
    members = rows_to_confirm(rows, info)
    requested = len(members) * info.confirmations_of_a_member
    return confirmation_seconds(members, info) * (1 - done / requested) if requested > done else 0.0
