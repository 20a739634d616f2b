"""The journal of a run's study: Optuna's file format, written as by somebody who is alone with it.

Optuna's own file backend takes a lock, syncs the disk and reads the file again for every single parameter of
a suggestion, as drivers on many machines may write to one file. A run folder has one driver, which holds the
folder's lock; so this one keeps the file open, keeps what it wrote in memory, and syncs once a suggestion.
``optuna-dashboard`` and Optuna's own backend read the file as ever.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend
from optuna.storages.journal._storage import JournalOperation

from suite.runs.journal import drop_incomplete_line

#: What may wait for the next line that is synced: a power cut can lose it of a suggestion that was not begun.
UNSYNCED = (JournalOperation.SET_TRIAL_PARAM, JournalOperation.SET_TRIAL_SYSTEM_ATTR)


class StudyJournal(BaseJournalBackend):
    """The lines of a study's journal, for one process alone."""

    def __init__(self, path: Path) -> None:
        drop_incomplete_line(path)  # of a killed driver, or one without room
        self._file = path.open("ab")
        with path.open("rb") as file:
            self._unread: list[dict[str, Any]] = [json.loads(line) for line in file]
        self._first = 0  # number of the first line that is not read yet
        self._path = path

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The lines from a number on; Optuna asks for each once, and what it has asked for is let go of."""
        if log_number_from < self._first:
            with self._path.open("rb") as file:
                yield from [json.loads(line) for line in file][log_number_from:]
            return
        new = self._unread[log_number_from - self._first :]
        self._unread, self._first = [], log_number_from + len(new)
        yield from new

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write lines, whole or not at all.

        Raises:
            OSError: there is no room, or the folder cannot be written to.
        """
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        text = "".join(line + "\n" for line in lines).encode()
        try:
            written = 0
            while written < len(text):  # a disk that is nearly full takes a part
                written += os.write(self._file.fileno(), text[written:])
            if any(log["op_code"] not in UNSYNCED for log in logs):
                os.fsync(self._file.fileno())
        except OSError:
            drop_incomplete_line(self._path)
            raise
        self._unread += map(json.loads, lines)
