"""The rows of a run in progress, kept in its journal and tables."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from suite.runs.journal import Line, Row, RowJournal, read_journal
from suite.runs.tables import epoch_row, merge_tables, trial_row, write_rows
from suite.trial import Attribute, EpochResult, Stage, TrialResult

#: The tables of a run in progress are written when the last time lies so many times its own length back, so
#: that a search of thousands of trials spends a fiftieth of its driver's time on them at most.
TIMES_BACK = 50


class RunLedger:
    """The rows of a run in progress; every trial that ends is on disk before the next is suggested."""

    def __init__(self, folder: Path) -> None:
        """Go on from what the folder already holds."""
        self.folder = folder
        self._journal = RowJournal(folder)
        self._rows = merge_tables(folder, read_journal(folder))
        # What a kill left of a trial without a row: it is told again by whoever goes on with the trial.
        self._rows.epochs = {i: epochs for i, epochs in self._rows.epochs.items() if i in self._rows.trials}
        self._not_before = 0.0  # by time.monotonic()

    @property
    def rows(self) -> list[Row]:
        """The rows of ``trials.parquet``, in the order in which the trials ended."""
        return list(self._rows.trials.values())

    @property
    def seconds(self) -> float:
        """How long the search had lasted when this was last written; 0 where nobody wrote it.

        What was made from its trials afterwards took time of its own.
        """
        trainings = (*self.rows_of("search"), *self.rows_of("confirm"))
        ends = (float(row["started"] + row["seconds"]) for row in trainings)
        return max([self._rows.seconds, *ends])

    def has(self, trial_id: str) -> bool:
        """A trial has ended."""
        return trial_id in self._rows.trials

    def epochs_of(self, trial_id: str) -> list[Row]:
        """The rows of ``epochs.parquet`` of a trial, by rising epoch."""
        return self._rows.epochs_of(trial_id)

    def rows_of(self, stage: Stage) -> list[Row]:
        """Those of one stage."""
        return [row for row in self._rows.trials.values() if row["stage"] == stage]

    def begin_trial(self, trial_id: str, before: Iterable[EpochResult], attribute: Attribute) -> None:
        """A trial begins, or goes on after the epochs of ``before``; all else of it is forgotten."""
        self._rows.epochs.pop(trial_id, None)
        for epoch in before:
            self.add_epoch(trial_id, epoch, attribute)

    def add_epoch(self, trial_id: str, result: EpochResult, attribute: Attribute) -> None:
        """Keep an epoch; it is written when its trial ends."""
        self._rows.add("epochs", epoch_row(trial_id, result, attribute))

    def add_trial(self, result: TrialResult) -> None:
        """Write a trial that ended, and its epochs.

        Raises:
            OSError: it cannot be written.
        """
        row = trial_row(result)
        # The trial last: where the journal is torn among its lines, it has not ended.
        lines: list[Line] = [("epochs", epoch) for epoch in self._rows.epochs_of(result.id)]
        self._journal.append([*lines, ("trials", row)])
        self._rows.add("trials", row)
        self._write_now_and_then()

    def amend(self, trial_id: str, columns: Mapping[str, float]) -> None:
        """Fill in columns of a trial that ended: its test metrics, its latency."""
        line: Line = ("amend", {"id": trial_id, **columns})
        self._journal.append([line])
        self._rows.add(*line)
        self._write_now_and_then()

    def note_clock(self, seconds: float) -> None:
        """Write how long the search has lasted; a power cut may lose it, a kill does not."""
        self._rows.add("clock", {"seconds": seconds})
        self._journal.append([("clock", {"seconds": round(seconds, 3)})], to_disk=False)

    def fold(self) -> None:
        """Write the tables, and delete the journal that they make needless.

        Raises:
            OSError: they cannot be written; the journal has it all.
        """
        began = time.monotonic()
        write_rows(self.folder, "epochs", self._rows.ended_epochs())
        write_rows(self.folder, "trials", self.rows)
        self._journal.clear()
        ended = time.monotonic()
        self._not_before = ended + TIMES_BACK * (ended - began)

    def _write_now_and_then(self) -> None:
        if time.monotonic() >= self._not_before:
            self.fold()
