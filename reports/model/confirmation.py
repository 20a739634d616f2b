"""The confirmation of the search's front: its members trained again with new seeds."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from reports.model.cells import Row, number, rows_of, words
from suite.runs.info import RunInfo
from suite.runs.tables import Run


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

    @property
    def finished(self) -> bool:
        """Whether it trained to its end and has a validation error."""
        return self.status == "finished" and math.isfinite(self.val_mae)


@dataclass(frozen=True)
class Confirmed:
    """A member of the front, by its id, with at least one training that confirms it."""

    member: str
    trainings: tuple[Training, ...]

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
    or those of networks alone. ``other_confirmations`` has the rest.
    """
    return _by_member(
        (row for row in rows_of(run, "confirm") if _is_of_the_procedure(row, run.info)), run.info
    )


def other_confirmations(run: Run) -> dict[str, Confirmed]:
    """Return what confirms members by the other procedure than the one that the run names."""
    return _by_member(
        (row for row in rows_of(run, "confirm") if not _is_of_the_procedure(row, run.info)), run.info
    )


def _is_of_the_procedure(row: Row, info: RunInfo) -> bool:
    sharing = info.sharing
    return sharing is None or bool(words(row, "slice_of")) == (sharing.counted == "procedure")


def _by_member(rows: Iterable[Row], info: RunInfo) -> dict[str, Confirmed]:
    trainings: dict[str, list[Training]] = {}
    for row in rows:
        trainings.setdefault(str(row["parent"]), []).append(_training(row, info))
    return {
        member: Confirmed(member, tuple(sorted(found, key=lambda training: training.seed)))
        for member, found in trainings.items()
    }


def is_complete(members: Collection[str], again: Mapping[str, Confirmed], info: RunInfo) -> bool:
    """Whether every member had all of its trainings, and at least one of these finished.

    Confirmed means replace the search's errors only then. Earlier, some would be of fewer seeds, and members
    without one would keep the lucky error of the search.
    """
    seeds = seeds_asked(info)
    ended = all(member in again and len(again[member].trainings) >= seeds for member in members)
    return seeds > 1 and ended and any(confirmed.errors for confirmed in again.values())


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
    )
