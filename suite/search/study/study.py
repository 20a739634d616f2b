"""The Optuna study of a run: opened or created in its journal, and asked for suggestions."""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from search_spaces import SearchSpace, Value, grid_trials
from suite.runs.layout import STUDY_JOURNAL
from suite.search.study.journal import StudyJournal
from suite.search.study.optuna_private import reopen
from suite.search.study.parameters import SEED, distributions_of, parameters_of
from suite.search.study.samplers import make_sampler


def open_study(
    space: SearchSpace,
    folder: Path,
    *,
    concurrent: int,
    fits: Callable[[Mapping[str, Value]], bool] = lambda values: True,
    points: Sequence[Mapping[str, Value]] = (),
) -> optuna.Study:
    """Open the study in the journal of a run folder, or create it with its first points enqueued.

    Args:
        space: The search space.
        folder: The run.
        concurrent: Trials that train at the same time.
        fits: Whether a point of a grid is to be trained.
        points: Enqueued in a new study, after the first points that the space names.
    """
    optuna.logging.set_verbosity(logging.ERROR)
    # A driver of an earlier version of the suite may have left it when it was killed.
    (folder / f"{STUDY_JOURNAL}.lock").unlink(missing_ok=True)
    storage = JournalStorage(StudyJournal(folder / STUDY_JOURNAL))
    names = {summary.study_name for summary in storage.get_all_studies()}
    study = optuna.create_study(
        storage=storage,
        study_name=space.name,
        directions=["minimize"] * len(space.objectives),
        load_if_exists=True,
    )
    # A resumed search must not draw the first random points once more.
    study.sampler = make_sampler(space, seed=space.seed + len(study.trials), concurrent=concurrent)
    if space.name not in names:
        name_metrics(study, space)
        enqueue_first(study, space)
        for values in points:
            study.enqueue_trial(parameters_of(space, values))
    if space.sampler == "grid":
        _enqueue_grid(study, space, fits)
    return study


def name_metrics(study: optuna.Study, space: SearchSpace) -> None:
    """Give a new study the names of the objectives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(space.objectives))


def enqueue_first(study: optuna.Study, space: SearchSpace) -> None:
    """Enqueue the points that the space wants first, except those that a trial has already."""
    known = [trial.params.items() for trial in study.get_trials(deepcopy=False)]
    for point in space.first:
        parameters = parameters_of(space, space.flat(point))
        if not any(parameters.items() <= params for params in known):
            study.enqueue_trial(parameters)


def ask(study: optuna.Study, space: SearchSpace, *, at_random: bool = False) -> optuna.Trial:
    """Return the next suggestion, with a value for every dimension of the space.

    Args:
        study: Of the search.
        space: The search space.
        at_random: Draw it at random instead of asking the study's sampler.
    """
    if not at_random:
        return study.ask(distributions_of(space))
    sampler = study.sampler
    study.sampler = RandomSampler(seed=space.seed + len(study.get_trials(deepcopy=False)))
    try:
        return study.ask(distributions_of(space))
    finally:
        study.sampler = sampler


def running_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return the suggestions whose results the study has not received, in their order."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def resume_suggestion(study: optuna.Study, space: SearchSpace, trial: FrozenTrial) -> optuna.Trial:
    """Return a suggestion that a killed driver left, under its own number.

    Where the driver was killed while the suggestion was made, the missing parameters are drawn now.
    """
    return reopen(study, trial, distributions_of(space))


def _enqueue_grid(
    study: optuna.Study, space: SearchSpace, fits: Callable[[Mapping[str, Value]], bool]
) -> None:
    """Enqueue the trials that the study lacks: all of a new grid, the rest where that was cut short."""
    enqueued = {trial.user_attrs.get("grid") for trial in study.get_trials(deepcopy=False)}
    fitting = (trial for trial in grid_trials(space) if fits(trial.values))
    for number, trial in enumerate(islice(fitting, space.trials)):
        if number not in enqueued:
            parameters = parameters_of(space, trial.values)
            if space.seeds > 1:
                parameters[SEED] = trial.seed
            study.enqueue_trial(parameters, user_attrs={"grid": number})
