"""The rows of a run in progress, kept in its journal and tables."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from suite.runs.folder import gone_error, is_run
from suite.runs.journal import Line, Row, RowJournal
from suite.runs.tables import epoch_row, merge_tables, read_lines, trial_row, write_rows
from suite.trial import Attribute, EpochResult, Stage, TrialResult

#: The tables are written again when WRITE_INTERVAL times the last write's duration has passed. A search of thousands
#: of trials therefore spends at most a fiftieth of its driver's time on them.
WRITE_INTERVAL = 50


class RunLedger:
    """The rows of a run in progress. Every trial that ends is on disk before the next is suggested."""

    def __init__(self, folder: Path) -> None:
        """Continue from what the folder already holds."""
        self.folder = folder
        self._is_run = is_run(folder)
        self._journal = RowJournal(folder)
        self._rows = merge_tables(folder, read_lines(folder))
        # A trial without a row was interrupted: whatever resumes the trial adds its epochs again.
        self._rows.epochs = {i: epochs for i, epochs in self._rows.epochs.items() if i in self._rows.trials}
        self._not_before = 0.0  # by time.monotonic()

    @property
    def rows(self) -> list[Row]:
        """The rows of ``trials.parquet``, in the order in which the trials ended."""
        return list(self._rows.trials.values())

    @property
    def seconds(self) -> float:
        """How long the search had lasted when that was last written; 0 if it never was.

        Trials that were derived later, such as by compression, do not count.
        """
        trainings = (*self.rows_of("search"), *self.rows_of("confirm"))
        ends = (float(row["started"] + row["seconds"]) for row in trainings)
        return max([self._rows.seconds, *ends])

    def has(self, trial_id: str) -> bool:
        """Whether a trial has ended."""
        return trial_id in self._rows.trials

    def epochs_of(self, trial_id: str) -> list[Row]:
        """Return the rows of ``epochs.parquet`` of a trial, in ascending order."""
        return self._rows.epochs_of(trial_id)

    def rows_of(self, stage: Stage) -> list[Row]:
        """Return the rows of ``trials.parquet`` of one stage."""
        return [row for row in self._rows.trials.values() if row["stage"] == stage]

    def begin_trial(self, trial_id: str, before: Iterable[EpochResult], attribute: Attribute) -> None:
        """Begin a trial, or resume it after the epochs of ``before``. All other epochs of it are discarded."""
        self._rows.epochs.pop(trial_id, None)
        for epoch in before:
            self.add_epoch(trial_id, epoch, attribute)

    def add_epoch(self, trial_id: str, result: EpochResult, attribute: Attribute) -> None:
        """Add an epoch. It is written when its trial ends."""
        self._rows.add("epochs", epoch_row(trial_id, result, attribute))

    def add_trial(self, result: TrialResult) -> None:
        """Write a trial that has ended, and its epochs.

        Raises:
            RequestError: The run folder was deleted or moved since the ledger was opened.
            OSError: The journal or the tables cannot be written.
        """
        row = trial_row(result)
        self._check_there()
        # The trial comes last: if only some of these lines are written, the trial has not ended.
        lines: list[Line] = [("epochs", epoch) for epoch in self._rows.epochs_of(result.id)]
        self._journal.append([*lines, ("trials", row)])
        self._rows.add("trials", row)
        self._fold_if_due()

    def amend(self, trial_id: str, columns: Mapping[str, float | str | None]) -> None:
        """Fill in columns of a trial that has ended, such as its test metrics or its latency.

        Raises:
            RequestError: The run folder was deleted or moved since the ledger was opened.
            OSError: The journal or the tables cannot be written.
        """
        self._check_there()
        line: Line = ("amend", {"id": trial_id, **columns})
        self._journal.append([line])
        self._rows.add(*line)
        self._fold_if_due()

    def note_clock(self, seconds: float) -> None:
        """Write how long the search has lasted. This survives a kill, but not always a power cut.

        Raises:
            RequestError: The run folder was deleted or moved since the ledger was opened.
            OSError: The journal cannot be written.
        """
        self._check_there()
        self._rows.add("clock", {"seconds": seconds})
        self._journal.append([("clock", {"seconds": round(seconds, 3)})], to_disk=False)

    def fold(self) -> None:
        """Write the tables, and delete the journal, whose rows they now have.

        Raises:
            RequestError: The run folder was deleted or moved since the ledger was opened.
            OSError: The tables cannot be written; the journal still has all rows.
        """
        self._check_there()
        began = time.monotonic()
        write_rows(self.folder, "epochs", self._rows.ended_epochs())
        write_rows(self.folder, "trials", self.rows)
        self._journal.clear()
        ended = time.monotonic()
        self._not_before = ended + WRITE_INTERVAL * (ended - began)

    @property
    def is_gone(self) -> bool:
        """Whether the run folder was deleted, moved or emptied since the ledger was opened."""
        return self._is_run and not is_run(self.folder)

    def _check_there(self) -> None:
        if self.is_gone:
            raise gone_error(self.folder)

    def _fold_if_due(self) -> None:
        if time.monotonic() >= self._not_before:
            self.fold()
