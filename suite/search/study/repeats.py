"""Suggestions that a search has had before: their result is known, and they are not trained again.

A trial is decided by its configuration, the seed included, and all trials of a search have the same seed. A
sampler that proposes a configuration once more (over a third of TPE's suggestions in a space of 160) would
have it trained to the same result. So it is told that result at once. TPE weighs it once more and moves on.
"""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

#: What the study says of such a suggestion; it has no row in trials.parquet.
REPEAT = "repeat"


def trained_before(study: optuna.Study, parameters: Mapping[str, Any], number: int) -> FrozenTrial | None:
    """The trial with the same parameters whose result is known or under way; None where there is none.

    Failed ones are passed over, since a lost process says nothing of a configuration; diverged ones are not.

    Args:
        study: the study of the search.
        parameters: of the suggestion.
        number: of the suggestion in the study; only earlier trials are looked at.
    """
    for trial in study.get_trials(deepcopy=False)[:number]:
        if trial.params == parameters and _tells(trial):
            return trial
    return None


def tell_repeat(study: optuna.Study, suggestion: optuna.Trial, before: FrozenTrial, name: str) -> None:
    """Tell the study what the earlier trial came to; one that is under way tells nothing yet."""
    suggestion.set_user_attr("status", REPEAT)
    suggestion.set_user_attr("cause", f"the configuration of {name}, which is not trained again")
    if before.state == TrialState.COMPLETE:
        study.tell(suggestion, before.values)
    elif before.state == TrialState.PRUNED:
        study.tell(suggestion, state=TrialState.PRUNED)
    else:
        study.tell(suggestion, state=TrialState.FAIL)


def is_repeat(trial: FrozenTrial) -> bool:
    """The suggestion was not trained, because an earlier one had been."""
    return trial.user_attrs.get("status") == REPEAT


def _tells(trial: FrozenTrial) -> bool:
    if is_repeat(trial):
        return False  # the trial that it repeats comes first
    known = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    return trial.state in known or trial.user_attrs.get("status") == "diverged"
