"""The journal of a run's study, in Optuna's file format, for the one process that writes to it.

Optuna's own file backend serves many drivers at once: for every single parameter of a suggestion it takes a
lock, syncs the disk and reads the file again. A run folder has one driver, which holds the folder's lock.
This backend therefore keeps the file open and what it wrote in memory, and syncs once a suggestion.
``optuna-dashboard`` and Optuna's own backend read the file as usual.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from suite.files.reading import FileContentError, check_regular, parse_json
from suite.runs.journal import drop_incomplete_line
from suite.search.study.optuna_private import PARAMETER_OPERATIONS

#: Bytes; several times the journal of a hundred thousand suggestions.
LARGEST = 1_000_000_000
#: Operations that wait for the next synced line. A power cut loses them for a suggestion that has not begun.
UNSYNCED = PARAMETER_OPERATIONS


class StudyJournal(BaseJournalBackend):
    """The lines of a study's journal, for a single process."""

    def __init__(self, path: Path) -> None:
        """Open the file, or create it.

        Raises:
            FileContentError: It is not a regular file, closed to this user, or not a journal.
        """
        with contextlib.suppress(FileNotFoundError):
            check_regular(path, LARGEST)
        drop_incomplete_line(path)  # of a driver that was killed, or whose disk was full
        self._unread = read_operations(path)
        self._file = path.open("ab")
        self._first = 0  # number of the first line that is not read yet
        self._path = path

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the lines from a number on. Optuna asks for each once, so those it has read are dropped."""
        if log_number_from < self._first:
            with self._path.open("rb") as file:
                yield from [json.loads(line) for line in file][log_number_from:]
            return
        new = self._unread[log_number_from - self._first :]
        self._unread, self._first = [], log_number_from + len(new)
        yield from new

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write lines, all of them or none.

        Raises:
            OSError: The disk is full, or the folder cannot be written to.
        """
        text = text_of(logs).encode()
        try:
            written = 0
            while written < len(text):  # a nearly full disk takes a part
                written += os.write(self._file.fileno(), text[written:])
            if any(log["op_code"] not in UNSYNCED for log in logs):
                os.fsync(self._file.fileno())
        except OSError:
            drop_incomplete_line(self._path)
            raise
        self._unread += map(json.loads, text.splitlines())


def text_of(operations: Sequence[Mapping[str, Any]]) -> str:
    """Return operations as lines of a journal."""
    return "".join(json.dumps(operation, separators=(",", ":")) + "\n" for operation in operations)


def read_operations(path: Path) -> list[dict[str, Any]]:
    """Read the operations of a study's journal, without an incomplete last line; no file has none.

    Raises:
        FileContentError: It is not a regular file, too large, closed to this user, or not a journal.
    """
    try:
        check_regular(path, LARGEST)
    except FileNotFoundError:
        return []
    with path.open("rb") as file:
        operations = [
            parse_json(line, infinite=True)  # values of suggestions that were out of bounds
            for line in file
            if line.endswith(b"\n")
        ]
    for number, operation in enumerate(operations, 1):
        if not isinstance(operation, dict) or not isinstance(operation.get("op_code"), int):
            raise FileContentError(f"line {number} is no operation of a study")
    return operations
