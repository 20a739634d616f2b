"""Reports finished trials to the Optuna study, and counts them."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from search_spaces.settings import Bounds
from suite.runs.info import objective_column
from suite.search.study.repeats import is_repeat
from suite.search.study.study import running_trials
from suite.trial import UNIT

#: The status, in the study, of a suggestion that was not trained; it has no row in trials.parquet.
OUT_OF_BOUNDS = "out-of-bounds"


def trial_id(number: int) -> str:
    """Return the name that a trial of the study has in the run folder."""
    return f"t{number:04d}"


def tell(study: optuna.Study, trial: optuna.Trial | int, row: Mapping[str, Any] | None) -> None:
    """Report to the study how a trial ended, by its row; a trial without a row failed.

    A trial that was stopped early is reported as a pruned one, without values. The last error of a training cut
    short does not belong on Optuna's front among those of whole trainings. TPE ranks a pruned trial behind
    every trial that finished; NSGA-II, which breeds from finished trials alone, passes it over.

    A trial without finite objectives is reported as a failed one, because NaN must not reach the front.
    """
    if row is None or row["status"] != "finished":
        was_stopped = row is not None and row["status"] == "stopped"
        study.tell(trial, state=TrialState.PRUNED if was_stopped else TrialState.FAIL)
        return
    values = objectives_of_row(row, study.metric_names or [])
    if all(map(math.isfinite, values)):
        study.tell(trial, values)
    else:
        study.tell(trial, state=TrialState.FAIL)


def tell_missing(study: optuna.Study, rows: Sequence[Mapping[str, Any]]) -> None:
    """Report to the study the rows that were written just before a kill; a trial without a row is still running."""
    by_id = {row["id"]: row for row in rows}
    for trial in running_trials(study):
        if (row := by_id.get(trial_id(trial.number))) is not None:
            tell(study, trial.number, row)


def tell_out_of_bounds(study: optuna.Study, trial: optuna.Trial, cause: str) -> None:
    """Report to the study that a suggestion violates its constraints and is not trained.

    It counts as complete, because NSGA-II learns from no other state, and has infinite values, because
    nothing was measured. A sampler, and Optuna's front, use nothing of it but its constraints.
    """
    trial.set_user_attr("status", OUT_OF_BOUNDS)
    trial.set_user_attr("cause", cause)
    study.tell(trial, [math.inf] * len(study.directions))


def results_known(study: optuna.Study, at: datetime | None = None) -> int:
    """Count the trials that trained to their end, as far as the study had received their results.

    Args:
        study: Of the search.
        at: The time; None: now.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sum(
        not _is_out_of_bounds(trial) and not is_repeat(trial)
        for trial in complete
        if at is None or (trial.datetime_complete is not None and trial.datetime_complete <= at)
    )


def count_out_of_bounds(study: optuna.Study) -> int:
    """Count the suggestions that were not trained because of their constraints."""
    return sum(map(_is_out_of_bounds, study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))))


def count_repeats(study: optuna.Study) -> int:
    """Count the suggestions that were not trained because an earlier trial had the same configuration."""
    return sum(map(is_repeat, study.get_trials(deepcopy=False)))


def error_excesses(row: Mapping[str, Any], bounds: Bounds) -> dict[str, float]:
    """Return by which share of its bound a finished trial's error exceeds it, by the name of the constraint.

    Unlike a cost, an error is known only after the training: the trial counts, and is not on the front.
    """
    bound = bounds.worst_group_mae
    if bound is None or row["status"] != "finished":
        return {}
    (error,) = objectives_of_row(row, ["worst_group_mae"])
    return {"worst_group_mae": error / bound - 1} if math.isfinite(error) else {}


def objectives_of_row(row: Mapping[str, Any], objectives: Sequence[str]) -> list[float]:
    """Return the objectives of a row of ``trials.parquet``, in the given order."""
    columns = [objective_column(name, UNIT[row["attribute"]]) for name in objectives]
    return [math.nan if row[column] is None else float(row[column]) for column in columns]


def _is_out_of_bounds(trial: FrozenTrial) -> bool:
    return trial.user_attrs.get("status") == OUT_OF_BOUNDS
