"""The confirmation of the search's front: its members, and trials beside it, trained again with new seeds."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Literal

from reports.model.cells import Row, number, rows_of, words, worst_group
from reports.model.over_people import SeedErrors, interval_of
from suite.runs.front import confirming_rows, is_of_the_procedure
from suite.runs.image_errors import read_by_seed
from suite.runs.info import RunInfo
from suite.runs.tables import Run
from suite.statistics.paired import Interval
from suite.trial import WorstGroup


@dataclass(frozen=True)
class Training:
    """A row of stage ``confirm``; errors are MAEs in the run's unit, NaN where there is none.

    ``slice_of`` is the elastic training whose slice it started from; empty for a network trained alone.
    """

    id: str
    seed: int
    status: str
    cause: str
    epochs_run: int
    val_mae: float
    test_mae: float
    slice_of: str = ""
    worst_group: WorstGroup | None = None  # on validation; None where the data names no groups

    @property
    def finished(self) -> bool:
        """Whether it trained to its end and has a validation error."""
        return self.status == "finished" and math.isfinite(self.val_mae)


@dataclass(frozen=True)
class Confirmed:
    """A trial on the front or beside it, by its id, with at least one training that confirms it.

    ``folder`` is the run's, which may keep the predictions of the trainings; None: it is not looked for any.
    """

    member: str
    trainings: tuple[Training, ...]
    folder: Path | None = None

    @property
    def errors(self) -> dict[int, float]:
        """Validation MAE by seed, of the trainings that finished."""
        return {t.seed: t.val_mae for t in self.trainings if t.finished}

    @property
    def tests(self) -> dict[int, float]:
        """Test MAE by seed, of the trainings that it was measured for."""
        return {t.seed: t.test_mae for t in self.trainings if t.finished and math.isfinite(t.test_mae)}

    @property
    def mean(self) -> float:
        """Mean of the validation errors; NaN if no training finished."""
        return fmean(self.errors.values()) if self.errors else math.nan

    @cached_property
    def interval(self) -> Interval | None:
        """Mean of the validation errors with its 95 % interval; None if no training finished."""
        return self._interval(self.errors, "val")

    @cached_property
    def test_interval(self) -> Interval | None:
        """Mean of the test errors with its 95 % interval; None if there are none."""
        return self._interval(self.tests, "test")

    def _interval(self, errors: Mapping[int, float], split: Literal["val", "test"]) -> Interval | None:
        if not errors:
            return None
        ids = {training.seed: training.id for training in self.trainings if training.seed in errors}
        by_image = read_by_seed(self.folder, ids, split) if self.folder and len(errors) > 1 else None
        return interval_of(SeedErrors(self.member, errors, by_image))

    @property
    def worst_group(self) -> WorstGroup | None:
        """The worst group that most trainings have, with the mean of the errors of each one's own; None without any."""
        found = [t.worst_group for t in self.trainings if t.finished and t.worst_group is not None]
        if not found:
            return None
        usual, _ = Counter(group.name for group in found).most_common(1)[0]
        people = next(group.people for group in found if group.name == usual)
        return WorstGroup(usual, fmean(group.mae for group in found), people)

    @property
    def mean_test(self) -> float:
        """Mean of the test errors; NaN if there are none."""
        return fmean(self.tests.values()) if self.tests else math.nan


def seeds_asked(info: RunInfo) -> int:
    """Return how many seeds the run confirms its front with; 1 means that it does not."""
    return int(info.search.get("confirm_seeds") or 1)


def procedure_in_words(info: RunInfo) -> str:
    """Return how a run that shares weights confirms its front, as a clause; empty where weights are not shared."""
    sharing = info.sharing
    if sharing is None:
        return ""
    if sharing.counted == "procedure":
        return (
            "by the whole procedure: for each seed an elastic training of its own, and each member fine-tuned "
            "from its slice"
        )
    return (
        "by training the members alone, from random weights, for the epochs of the elastic training "
        f"({sharing.epochs:,}) and of the trial together"
    )


def confirmations(run: Run) -> dict[str, Confirmed]:
    """Return the members with at least one confirming training that ended, by their ids.

    In a run that shares weights, only trainings of the procedure that it names count: those that start from slices,
    or those of networks alone. ``other_confirmations`` has the rest. Trainings of another length than the run's do
    not count.
    """
    return _by_member((row for row in _confirming(run) if is_of_the_procedure(row, run.info)), run)


def other_confirmations(run: Run) -> dict[str, Confirmed]:
    """Return what confirms members by the other procedure than the one that the run names."""
    return _by_member((row for row in _confirming(run) if not is_of_the_procedure(row, run.info)), run)


def _confirming(run: Run) -> list[Row]:
    return confirming_rows([*rows_of(run, "search"), *rows_of(run, "confirm")], run.info)


def _by_member(rows: Iterable[Row], run: Run) -> dict[str, Confirmed]:
    trainings: dict[str, list[Training]] = {}
    for row in rows:
        trainings.setdefault(str(row["parent"]), []).append(_training(row, run.info))
    return {
        member: Confirmed(member, tuple(sorted(found, key=lambda training: training.seed)), run.folder)
        for member, found in trainings.items()
    }


def is_complete(members: Collection[str], again: Mapping[str, Confirmed], info: RunInfo) -> bool:
    """Whether every member had all of its trainings, and at least one of these finished.

    Confirmed means replace the search's errors only then. Earlier, some would be of fewer seeds, and members
    without one would keep the lucky error of the search.
    """
    seeds = seeds_asked(info)
    ended = all(member in again and len(again[member].trainings) >= seeds for member in members)
    return seeds > 1 and ended and any(again[member].errors for member in members)


def _training(row: Row, info: RunInfo) -> Training:
    return Training(
        id=str(row["id"]),
        seed=int(row["seed"]),
        status=str(row["status"]),
        cause=words(row, "cause"),
        epochs_run=int(row["epochs_run"]),
        val_mae=number(row, info.error_column),
        test_mae=number(row, f"test_mae_{info.unit}"),
        slice_of=words(row, "slice_of"),
        worst_group=worst_group(row, "val", info.unit),
    )
