"""Suggestions of a configuration that the search has trained before: they are not trained again.

A trial is determined by its configuration, the seed included, and all trials of a search have the same seed.
Training a configuration a second time would give the same result. In a space of 160 points over a third of
TPE's suggestions are such repeats. The study receives the known result at once; TPE gives it more weight and
moves on.
"""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

#: The status, in the study, of such a suggestion; it has no row in trials.parquet.
REPEAT = "repeat"


def trained_before(study: optuna.Study, parameters: Mapping[str, Any], number: int) -> FrozenTrial | None:
    """Return the earlier trial with the same parameters, ended or running; None where there is none.

    Failed trials are passed over, since a lost process says nothing about a configuration. Diverged ones
    count.

    Args:
        study: Of the search.
        parameters: Of the suggestion.
        number: Of the suggestion in the study; only earlier trials are considered.
    """
    for trial in study.get_trials(deepcopy=False)[:number]:
        if trial.params == parameters and _is_informative(trial):
            return trial
    return None


def tell_repeat(study: optuna.Study, suggestion: optuna.Trial, earlier: FrozenTrial, name: str) -> None:
    """Tell the study the earlier trial's result for a repeat; it fails while that trial is running.

    Args:
        study: Of the search.
        suggestion: The repeat.
        earlier: The trial with the same parameters.
        name: Of the earlier trial in the run folder.
    """
    suggestion.set_user_attr("status", REPEAT)
    suggestion.set_user_attr("cause", f"the configuration of {name}, which is not trained again")
    known = suggestion.constraints
    for name_of_bound, excess in earlier.constraints.items():  # that it erred too much as well
        if name_of_bound not in known:
            suggestion.set_constraint(name_of_bound, excess)
    if earlier.state == TrialState.COMPLETE:
        study.tell(suggestion, earlier.values)
    elif earlier.state == TrialState.PRUNED:
        study.tell(suggestion, state=TrialState.PRUNED)
    else:
        study.tell(suggestion, state=TrialState.FAIL)


def is_repeat(trial: FrozenTrial) -> bool:
    """Return whether a suggestion was not trained because an earlier trial had its configuration."""
    return trial.user_attrs.get("status") == REPEAT


def _is_informative(trial: FrozenTrial) -> bool:
    if is_repeat(trial):
        return False  # the trial that it repeats comes first
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    return trial.state in states or trial.user_attrs.get("status") == "diverged"
