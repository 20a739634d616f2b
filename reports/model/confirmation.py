"""What the members of the search's front came to when they were trained again, with new seeds."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from reports.model.cells import Row, number, rows_of, words
from suite.runs.info import RunInfo
from suite.runs.tables import Run
from suite.statistics.paired import Difference, paired_difference


@dataclass(frozen=True)
class Training:
    """A row of stage ``confirm``; errors are MAEs in the run's unit, NaN where there is none."""

    id: str
    seed: int
    status: str
    cause: str
    epochs_run: int
    val_mae: float
    test_mae: float

    @property
    def finished(self) -> bool:
        """Whether it trained to its end and has a validation error."""
        return self.status == "finished" and math.isfinite(self.val_mae)


@dataclass(frozen=True)
class Confirmed:
    """A member of the front, by its id, with the trainings that confirm it: at least one."""

    member: str
    trainings: tuple[Training, ...]

    @property
    def errors(self) -> dict[int, float]:
        """Validation MAE by seed, of the trainings that finished."""
        return {t.seed: t.val_mae for t in self.trainings if t.finished}

    @property
    def tests(self) -> dict[int, float]:
        """Test MAE by seed, of those that it was read for."""
        return {t.seed: t.test_mae for t in self.trainings if t.finished and math.isfinite(t.test_mae)}

    @property
    def mean(self) -> float:
        """Of the validation errors; NaN where no training finished."""
        return fmean(self.errors.values()) if self.errors else math.nan

    @property
    def mean_test(self) -> float:
        """Of the test errors; NaN where there is none."""
        return fmean(self.tests.values()) if self.tests else math.nan


def seeds_asked(info: RunInfo) -> int:
    """How many seeds the run confirms its front with; 1, as in runs of before that: it does not."""
    return int(info.search.get("confirm_seeds") or 1)


def confirmations(run: Run) -> dict[str, Confirmed]:
    """The members that a confirming training has ended of, by their ids."""
    trainings: dict[str, list[Training]] = {}
    for row in rows_of(run, "confirm"):
        trainings.setdefault(str(row["parent"]), []).append(_training(row, run.info))
    return {
        member: Confirmed(member, tuple(sorted(found, key=lambda training: training.seed)))
        for member, found in trainings.items()
    }


def is_complete(members: Collection[str], again: Mapping[str, Confirmed], info: RunInfo) -> bool:
    """Whether every member had all of its trainings, and at least one of these finished.

    Before that no confirmed mean stands in for an error of the search: some would be of fewer seeds, and
    members that were still to come would look better by their luck.
    """
    seeds = seeds_asked(info)
    ended = all(member in again and len(again[member].trainings) >= seeds for member in members)
    return seeds > 1 and ended and any(confirmed.errors for confirmed in again.values())


def differences(pairs: Sequence[tuple[Confirmed, Confirmed]]) -> tuple[Difference, ...]:
    """Paired differences in validation MAE, as one family that is widened together (Bonferroni).

    Two members without a seed in common are left out.
    """
    paired = [(first, second) for first, second in pairs if first.errors.keys() & second.errors.keys()]
    return tuple(
        paired_difference(
            (first.member, first.errors), (second.member, second.errors), comparisons=len(paired)
        )
        for first, second in paired
    )


def _training(row: Row, info: RunInfo) -> Training:
    return Training(
        id=str(row["id"]),
        seed=int(row["seed"]),
        status=str(row["status"]),
        cause=words(row, "cause"),
        epochs_run=int(row["epochs_run"]),
        val_mae=number(row, info.error_column),
        test_mae=number(row, f"test_mae_{info.unit}"),
    )
