"""Whether the study of a run and its table belong together, and a study made anew from the table.

A search that went on with an empty study would give its suggestions the ids of trials that have ended, and overwrite
their rows and weights. So a resumption first compares what the folder holds.
"""

import math
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, get_args

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces import SearchSpace, grid_trials
from suite.commands import command
from suite.errors import RequestError
from suite.files.atomic import write_atomically
from suite.files.reading import FileContentError
from suite.runs.journal import Row
from suite.runs.layout import CHECKPOINTS, STUDY_JOURNAL
from suite.runs.tables import Run, config_of
from suite.search.costs import relative_excesses
from suite.search.study.importance import values_of
from suite.search.study.journal import read_operations, text_of
from suite.search.study.parameters import SEED, distributions_of, parameters_of
from suite.search.study.results import error_excesses, objectives_of_row, trial_id
from suite.search.study.study import enqueue_first, name_metrics
from suite.search.trial_factory import TrialFactory
from suite.training.checkpoints import load_checkpoint
from suite.trial import Status, TrialConfig

#: The id of a trial that a study suggested; others are made from these.
SUGGESTED = re.compile(r"t(\d{4,9})")
#: In the study, the status of a number that has no row: what became of it is not known any more.
UNKNOWN = "unknown"
#: Ids that a sentence names at most.
MOST_NAMED = 3


class _Operations(BaseJournalBackend):
    """The operations of a study, in memory."""

    def __init__(self, logs: list[dict[str, Any]]) -> None:
        self.logs = logs

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        yield from self.logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.logs += logs


@dataclass(frozen=True)
class Disagreement:
    """What a run folder lacks to continue its search.

    Attributes:
        sentence: What is missing, and where.
        rows: Rows of the search that are left, from which a study can be made.
        lost: Ids of trials that have trained and have no row.
        of_the_study: The study itself cannot be used as it is.
    """

    sentence: str
    rows: int
    lost: tuple[str, ...] = ()
    of_the_study: bool = True

    @property
    def refusal(self) -> RequestError:
        """The error, with its remedies."""
        last = "start a new run in another folder"
        if self.rows:
            last = (
                f"continue from the {self.rows} rows of trials.parquet alone with --rebuild-study of "
                f"'{command('resume')}'"
            )
        elif not self.lost:
            last = f"begin the study anew with --rebuild-study of '{command('resume')}'"
        return RequestError(f"{self.sentence}; put the file back from a backup, or {last}")


def disagreement(run: Run, space: SearchSpace) -> Disagreement | None:
    """Return what the folder of a run lacks to continue its search; None where nothing is missing.

    Args:
        run: The run, whose search has not ended.
        space: Its search space.
    """
    rows = _searched(run)
    state, fault = "", ""
    suggested: Mapping[str, FrozenTrial] = {}
    try:
        suggested = _suggested(run.folder / STUDY_JOURNAL, space.name)
    except FileNotFoundError:
        state = "is missing"
    except FileContentError as error:
        state, fault = "cannot be read", f" ({str(error)[:120]})"
    lost = _without_row(run, rows, suggested)
    if lost:
        sentence = f"trials.parquet of {run.folder} has no row of {_named(lost)}, which trained"
        return Disagreement(sentence, len(rows), lost)
    unknown = sorted(rows.keys() - suggested.keys())
    if not state and unknown:
        state = f"lacks {_named(unknown)}"
    if state and (rows or fault):
        sentence = f"{STUDY_JOURNAL} of {run.folder}, which chooses the next trials, {state}{fault}"
        return Disagreement(sentence, len(rows))
    if run.epochs.empty and any(row["epochs_run"] > 0 for row in rows.values()):
        sentence = f"epochs.parquet of {run.folder} is missing"
        return Disagreement(sentence, len(rows), of_the_study=False)
    return None


def rebuild_study(run: Run, trials: TrialFactory, found: Disagreement) -> str:
    """Make the study of a run anew from the rows of its table; files that are replaced are kept beside.

    A trial keeps its number. A training that was interrupted continues from its checkpoint. Other numbers below the
    last one stay unused, so that no new trial gets the id of an old one.

    Args:
        run: The run.
        trials: Its search space and data.
        found: What the folder lacks.

    Returns:
        A sentence on what was done.

    Raises:
        RequestError: The table has no row, and there are trials that trained: they would be overwritten.
        OSError: The folder cannot be written to.
    """
    if not found.of_the_study:
        return f"{found.sentence}; the search continues without it"
    rows = _searched(run)
    if found.lost and not rows:
        raise found.refusal
    storage = _Operations([])
    known = _fill(_empty_study(storage, trials.space), run, trials, rows, found.lost)
    _keep_aside(run.folder / STUDY_JOURNAL)
    if found.lost:  # the next write of this table has only epochs of trials with a row
        _keep_aside(run.folder / "epochs.parquet", copy=True)
    write_atomically(run.folder / STUDY_JOURNAL, text_of(storage.logs), durable=True)
    others = len(rows) - known
    outside = f"; {others} of them are no points of the search space, and the sampler learns nothing of them"
    return f"made {STUDY_JOURNAL} anew from {len(rows)} rows of trials.parquet" + (outside if others else "")


def _searched(run: Run) -> dict[str, Row]:
    """Return the rows of the search by id."""
    if run.trials.empty:
        return {}
    rows = run.trials[run.trials["stage"] == "search"].to_dict("records")
    return {str(row["id"]): {str(name): cell for name, cell in row.items()} for row in rows}


def _suggested(path: Path, name: str) -> dict[str, FrozenTrial]:
    """Return the trials of the study in a journal by their id.

    Raises:
        FileNotFoundError: There is no journal, or no such study in it.
        FileContentError: The journal is damaged.
    """
    if not (operations := read_operations(path)):
        raise FileNotFoundError(path)
    try:
        storage = JournalStorage(_Operations(operations))
        numbers = {study.study_name: study._study_id for study in storage.get_all_studies()}
        if name not in numbers:
            raise FileNotFoundError(path)
        return {trial_id(trial.number): trial for trial in storage.get_all_trials(numbers[name])}
    except FileNotFoundError:
        raise
    except Exception as error:  # Optuna checks nothing that it replays, so any error may come out of it
        raise FileContentError(f"{type(error).__name__} in Optuna") from None


def _without_row(run: Run, rows: Collection[str], suggested: Mapping[str, FrozenTrial]) -> tuple[str, ...]:
    """Return the ids of trials that have trained to their end, as files other than the table say."""
    running = {name for name, trial in suggested.items() if not trial.state.is_finished()}
    ended = {
        name
        for name, trial in suggested.items()
        if trial.state.is_finished() and trial.user_attrs.get("status") in get_args(Status)
    }
    files = {file.stem for file in (run.folder / "weights").glob("*.safetensors")}
    curves = set() if run.epochs.empty else set(run.epochs["id"].astype(str))
    trained = {name for name in files | curves if SUGGESTED.fullmatch(name)}
    given_up = {name for name, trial in suggested.items() if trial.user_attrs.get("status") == UNKNOWN}
    return tuple(sorted((ended | trained - running) - given_up - set(rows)))


def _named(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_NAMED
    return ", ".join(ids[:MOST_NAMED]) + (f" and {more} others" if more > 0 else "")


def _empty_study(storage: BaseJournalBackend, space: SearchSpace) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=JournalStorage(storage),
        sampler=RandomSampler(seed=space.seed),
        study_name=space.name,
        directions=["minimize"] * len(space.objectives),
    )
    name_metrics(study, space)
    return study


def _fill(
    study: optuna.Study, run: Run, trials: TrialFactory, rows: Mapping[str, Row], lost: Collection[str]
) -> int:
    """Add the trials of the rows under their numbers, and the points that come first.

    Returns:
        The number of rows that are points of the space.
    """
    space, known = trials.space, 0
    grid = _grid_numbers(trials)
    cut_short = {file.stem: file for file in (run.folder / CHECKPOINTS).glob("t*.pt")}
    numbers = [int(name[1:]) for name in {*rows, *cut_short, *lost} if SUGGESTED.fullmatch(name)]
    for number in range(max(numbers, default=-1) + 1):
        row, checkpoint = rows.get(trial_id(number)), cut_short.get(trial_id(number))
        config = config_of(row) if row else _config_in(checkpoint)
        parameters = {} if config is None else _parameters(config, space)
        known += bool(row and parameters)
        if row is None and (not parameters or trial_id(number) in lost):
            study.add_trial(create_trial(state=TrialState.FAIL, user_attrs={"status": UNKNOWN}))
            continue
        key = _point(parameters)
        study.add_trial(
            create_trial(
                **_outcome(row, study.metric_names or [], has_point=bool(parameters)),
                params=parameters,
                distributions={n: d for n, d in distributions_of(space).items() if n in parameters},
                user_attrs={
                    **({} if row is None else {"status": row["status"]}),
                    **({"grid": grid[key]} if key in grid else {}),
                },
                constraints=_constraints(row, config, space) if row and config else None,
            )
        )
    enqueue_first(study, space)
    return known


def _constraints(row: Row, config: TrialConfig, space: SearchSpace) -> dict[str, float]:
    """Return the excesses over the bounds of the space, as the trial that ended has them in the study."""
    return {**relative_excesses(config, space.bounds.on_costs()), **error_excesses(row, space.bounds)}


def _outcome(row: Row | None, objectives: Sequence[str], *, has_point: bool) -> dict[str, Any]:
    """Return the state and the values of a trial in the study, as ``suite.search.study.results.tell`` has them."""
    if row is None:
        return {"state": TrialState.RUNNING}
    if row["status"] == "stopped" and has_point:
        return {"state": TrialState.PRUNED}
    if row["status"] == "finished" and has_point:
        values = objectives_of_row(row, objectives)
        if all(map(math.isfinite, values)):
            return {"state": TrialState.COMPLETE, "values": values}
    return {"state": TrialState.FAIL}


def _parameters(config: TrialConfig, space: SearchSpace) -> dict[str, Any]:
    """Return Optuna's parameters of a trial; empty where it is no point of the space."""
    values = values_of(config, space)
    if not values:
        return {}
    return parameters_of(space, values) | ({SEED: config.seed} if space.seeds > 1 else {})


def _grid_numbers(trials: TrialFactory) -> dict[Any, int]:
    """Return the numbers of the points of a grid; empty for other searches."""
    space = trials.space
    if space.sampler != "grid":
        return {}
    fitting = (trial for trial in grid_trials(space) if trials.fits(trial.values))
    return {
        _point(parameters_of(space, trial.values) | ({SEED: trial.seed} if space.seeds > 1 else {})): number
        for number, trial in enumerate(islice(fitting, space.trials))
    }


def _point(parameters: Mapping[str, Any]) -> Any:
    return tuple(sorted((name, str(value)) for name, value in parameters.items()))


def _config_in(checkpoint: Path | None) -> TrialConfig | None:
    found = None if checkpoint is None else load_checkpoint(checkpoint)
    return None if found is None else found.config


def _keep_aside(path: Path, *, copy: bool = False) -> None:
    """Keep a file that is about to be replaced, under a name that is free."""
    if not path.exists():
        return
    numbers = count(1)
    aside = next(
        name
        for number in numbers
        if not (name := path.with_name(f"{path.stem}.before-rebuild-{number}{path.suffix}")).exists()
    )
    if copy:
        shutil.copyfile(path, aside)
    else:
        path.rename(aside)
