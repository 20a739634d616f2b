"""The private parts of Optuna that the suite uses; a new version of Optuna may change them.

``tests/search/study/test_optuna_private.py`` names the installed version where one of them has gone.
"""

from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import FrozenTrial

#: The journal's operations that describe a suggestion which has not begun to train.
PARAMETER_OPERATIONS = (JournalOperation.SET_TRIAL_PARAM, JournalOperation.SET_TRIAL_SYSTEM_ATTR)


def reopen(
    study: optuna.Study, trial: FrozenTrial, distributions: Mapping[str, BaseDistribution]
) -> optuna.Trial:
    """Return a running trial of a study as one that can receive its result.

    Optuna hands out such a trial only when it suggests it. The parameters that the trial has stay as they
    are; those that it lacks are drawn.
    """
    reopened = optuna.Trial(study, trial._trial_id)
    for name, distribution in distributions.items():
        reopened._suggest(name, distribution)
    return reopened
