"""The Optuna study of a run: its sampler, its journal, and how a suggestion becomes a trial."""

import logging
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from search_spaces import Choices, IntRange, SearchSpace, grid_trials
from search_spaces.space import Dimension, Value
from suite.compression.widths import kept_widths
from suite.data.store import LabelRange
from suite.networks import stages_of_widths, widths_of, with_widths
from suite.runs.layout import STUDY_JOURNAL
from suite.search.study.journal import StudyJournal
from suite.search.study.repeats import is_repeat
from suite.trial import UNIT, TrialConfig

#: Suggestions drawn at random before TPE has enough results to model (Optuna's default is 10).
TPE_STARTUP = 8
#: The parameter that tells the seeds of a point apart; no dimension of a space has this name.
SEED = "seed"
#: What the study says of a suggestion that was not trained; it has no row in trials.parquet.
OUT_OF_BOUNDS = "out-of-bounds"


def open_study(
    space: SearchSpace,
    folder: Path,
    *,
    concurrent: int,
    fits: Callable[[Mapping[str, Value]], bool] = lambda values: True,
) -> optuna.Study:
    """The study in the run folder's journal; made, with the first points enqueued, where there is none.

    ``fits`` says which points of a grid are to be trained.
    """
    optuna.logging.set_verbosity(logging.ERROR)
    # A driver of an earlier version of the suite may have left it when it was killed.
    (folder / f"{STUDY_JOURNAL}.lock").unlink(missing_ok=True)
    storage = JournalStorage(StudyJournal(folder / STUDY_JOURNAL))
    known = {summary.study_name for summary in storage.get_all_studies()}
    study = optuna.create_study(
        storage=storage,
        study_name=space.name,
        directions=["minimize"] * len(space.objectives),
        load_if_exists=True,
    )
    # A resumed search must not draw the first random points once more.
    study.sampler = make_sampler(space, seed=space.seed + len(study.trials), concurrent=concurrent)
    if space.name not in known:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(space.objectives))
        for point in space.first:
            study.enqueue_trial(_parameters(space, space.flat(point)))
    if space.sampler == "grid":
        _enqueue_grid(study, space, fits)
    return study


def make_sampler(space: SearchSpace, *, seed: int, concurrent: int) -> BaseSampler:
    """The sampler that the space names, scaled to its number of trials."""
    if space.sampler in ("random", "grid"):  # a grid is enqueued whole, and nothing of it is drawn
        return RandomSampler(seed=seed)
    if space.sampler == "nsga2":  # Deb 2002; about five generations, however few the trials
        return NSGAIISampler(seed=seed, population_size=max(4, min(50, space.trials // 5)))
    # Bergstra 2011, Ozaki 2022. Parallel suggestions must not fall on the same spot. One model of all
    # dimensions together (Falkner 2018) asks a quarter of the time that one for each does.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(
            seed=seed, n_startup_trials=TPE_STARTUP, constant_liar=concurrent > 1, multivariate=True
        )


def ask(study: optuna.Study, space: SearchSpace, *, at_random: bool = False) -> optuna.Trial:
    """The next suggestion, with a value for every dimension of the space; ``at_random`` asks no sampler."""
    if not at_random:
        return study.ask(_distributions(space))
    sampler = study.sampler
    study.sampler = RandomSampler(seed=space.seed + len(study.get_trials(deepcopy=False)))
    try:
        return study.ask(_distributions(space))
    finally:
        study.sampler = sampler


def under_way(study: optuna.Study) -> list[FrozenTrial]:
    """The suggestions that were not told how they ended, in their order."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def taken_up(study: optuna.Study, space: SearchSpace, left: FrozenTrial) -> optuna.Trial:
    """A suggestion that a killed driver left, to go on with under its own number.

    Where the kill fell into its making, it gets what it lacks.
    """
    suggestion = optuna.Trial(study, left._trial_id)
    for name, distribution in _distributions(space).items():
        suggestion._suggest(name, distribution)  # what it has already stays
    return suggestion


def config_at(
    parameters: Mapping[str, Any], space: SearchSpace, label_range: LabelRange, seed: int
) -> TrialConfig:
    """The trial at a suggestion; a label range that the space leaves open is the data's own.

    ``seed`` is that of a trial whose suggestion names none.
    """
    values: dict[str, Value] = {
        name: _chosen(dimension, parameters[name]) if isinstance(dimension, Choices) else parameters[name]
        for name, dimension in space.dimensions().items()
    }
    return config_of_values(values, space, label_range, parameters.get(SEED, seed))


def config_of_values(
    values: Mapping[str, Value], space: SearchSpace, label_range: LabelRange, seed: int
) -> TrialConfig:
    """The trial at a value for every dimension of the space, under the names of ``dimensions``.

    Shares to keep are laid over the widths that the space has without them.
    """
    fields = space.trial_fields(values)
    for name, own in zip(
        ("label_low", "label_high", "label_step"),
        (label_range.low, label_range.high, label_range.step),
        strict=True,
    ):
        if fields[name] is None:
            fields[name] = own
    config = TrialConfig(**fields, seed=seed)  # type: ignore[arg-type]
    if config.keep is None:
        return config
    shares = [config.keep[stage] for stage in stages_of_widths(config)]
    return with_widths(config, kept_widths(widths_of(config), shares))


def reconcile(study: optuna.Study, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell the study of rows that were written just before a kill; what has no row is still under way."""
    by_id = {row["id"]: row for row in rows}
    for trial in under_way(study):
        if (row := by_id.get(name_of(trial.number))) is not None:
            tell(study, trial.number, row)


def tell(study: optuna.Study, trial: optuna.Trial | int, row: Mapping[str, Any] | None) -> None:
    """How a trial ended by its row, as the sampler is to learn it; one that left no row failed.

    A trial that was stopped early is a pruned one, without values. Its last error is that of a training cut
    short and would lie on Optuna's front among those of whole ones; as it is, TPE ranks it behind every trial
    that finished, and NSGA-II, which breeds from finished trials alone, passes it over. A trial without
    finite objectives is a failed one: NaN must not reach the front.
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


def tell_out_of_bounds(study: optuna.Study, trial: optuna.Trial, cause: str) -> None:
    """A suggestion that breaks its constraints, and is not trained for it.

    It counts as complete, because NSGA-II learns from no other state, with infinite values, because nothing
    was measured; all that a sampler, or Optuna's front, takes of it are its constraints.
    """
    trial.set_user_attr("status", OUT_OF_BOUNDS)
    trial.set_user_attr("cause", cause)
    study.tell(trial, [math.inf] * len(study.directions))


def results_known(study: optuna.Study, at: datetime | None = None) -> int:
    """Trials that trained to their end, as far as the sampler had been told at a time, or has by now."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sum(
        not _is_out_of_bounds(trial) and not is_repeat(trial)
        for trial in complete
        if at is None or (trial.datetime_complete is not None and trial.datetime_complete <= at)
    )


def count_out_of_bounds(study: optuna.Study) -> int:
    """Suggestions that were not trained because of their constraints."""
    return sum(map(_is_out_of_bounds, study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))))


def count_repeats(study: optuna.Study) -> int:
    """Suggestions that were not trained because an earlier trial had been of the same configuration."""
    return sum(map(is_repeat, study.get_trials(deepcopy=False)))


def _is_out_of_bounds(trial: FrozenTrial) -> bool:
    return any(excess > 0 for excess in trial.constraints.values())


def name_of(number: int) -> str:
    """The name that a trial of the study has in the run folder."""
    return f"t{number:04d}"


def objectives_of_row(row: Mapping[str, Any], objectives: Sequence[str]) -> list[float]:
    """The objectives of a row of ``trials.parquet``, in the order asked."""
    error_column = f"val_mae_{UNIT[row['attribute']]}"
    return [float(row[error_column if name == "val_mae" else name]) for name in objectives]


def _enqueue_grid(
    study: optuna.Study, space: SearchSpace, fits: Callable[[Mapping[str, Value]], bool]
) -> None:
    """Enqueue what the study does not have yet: all of a new grid, the rest where that was cut short."""
    there = {trial.user_attrs.get("grid") for trial in study.get_trials(deepcopy=False)}
    inside = (trial for trial in grid_trials(space) if fits(trial.values))
    for number, trial in enumerate(islice(inside, space.trials)):
        if number not in there:
            parameters = _parameters(space, trial.values)
            if space.seeds > 1:
                parameters[SEED] = trial.seed
            study.enqueue_trial(parameters, user_attrs={"grid": number})


def _parameters(space: SearchSpace, values: Mapping[str, Value]) -> dict[str, Any]:
    """Values of dimensions as Optuna's parameters."""
    dimensions = space.dimensions()
    return {
        name: category_of(value) if isinstance(dimensions[name], Choices) else value
        for name, value in values.items()
    }


def category_of(value: Value) -> str | float | None:
    """A choice as Optuna keeps it: its categories are scalars, so a tuple becomes "16-32-64"."""
    return "-".join(str(part) for part in value) if isinstance(value, tuple) else value


def _chosen(dimension: Choices, category: str | float | None) -> Value:
    return next(value for value in dimension.values if category_of(value) == category)


def _distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    distributions = {name: distribution_of(dimension) for name, dimension in space.dimensions().items()}
    if space.seeds > 1:
        distributions[SEED] = IntDistribution(space.seed, space.seed + space.seeds - 1)
    return distributions


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """The dimension as Optuna knows it."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution([category_of(value) for value in dimension.values])
    if isinstance(dimension, IntRange):
        return IntDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
