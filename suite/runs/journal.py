"""``rows.journal``: the rows of a run that its tables do not have yet.

Rewriting both tables whenever a trial ends would take longer with every trial. So rows are appended here, one JSON
object a line, and are on disk before anything else learns of them. From time to time the tables are written, and the
journal is deleted. A reader reads the journal first and the tables after it, so that rows that move from one to the
other in between are read at least once.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from suite.files.reading import LARGEST_JSON, FileContentError, check_regular, parse_json

JOURNAL = "rows.journal"
Row = dict[str, Any]
#: "epochs" and "trials" are rows of the tables, and "amend" has columns of a trial that is there already. "clock" is
#: how long the search has lasted, for a search that is killed before it can write that to ``run.json``.
Kind = Literal["epochs", "trials", "amend", "clock"]
Line = tuple[Kind, Mapping[str, Any]]


@dataclass
class Rows:
    """The rows of both tables, each once.

    Attributes:
        trials: Rows by the id of the trial, in the order in which the trials ended.
        epochs: Rows by the id of the trial and the number of the epoch.
        seconds: How long the search had lasted when the journal was last written; 0 if it does not say.
    """

    trials: dict[str, Row] = field(default_factory=dict)
    epochs: dict[str, dict[int, Row]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, kind: Kind, row: Mapping[str, Any]) -> None:
        """Add a line of the journal; it replaces a row that is there already."""
        if kind == "epochs":
            self.epochs.setdefault(row["id"], {})[int(row["epoch"])] = dict(row)
        elif kind == "trials":
            self.trials[row["id"]] = dict(row)
        elif kind == "amend":
            if row["id"] in self.trials:
                self.trials[row["id"]] |= row
        else:
            self.seconds = max(self.seconds, float(row["seconds"]))

    def ended_epochs(self) -> list[Row]:
        """Return the rows of epochs of trials that ended, trial by trial."""
        return [row for trial_id in self.trials for row in self.epochs_of(trial_id)]

    def epochs_of(self, trial_id: str) -> list[Row]:
        """Return the rows of epochs of one trial, in ascending order."""
        epochs = self.epochs.get(trial_id, {})
        return [epochs[number] for number in sorted(epochs)]


class RowJournal:
    """The journal of a run folder, for the one driver that writes it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._ends_whole = False

    def append(self, lines: Iterable[Line], *, to_disk: bool = True) -> None:
        """Append lines.

        Args:
            lines: Lines of the journal.
            to_disk: Bring the lines to the disk, so that they survive a power cut from here on.

        Raises:
            OSError: The lines cannot be written; a part that was written is ignored by readers.
        """
        if not self._ends_whole:
            drop_incomplete_line(self._path)
            self._ends_whole = True
        text = "".join(json.dumps([kind, row], default=_plain) + "\n" for kind, row in lines)
        try:
            with self._path.open("ab") as file:
                file.write(text.encode())
                file.flush()
                if to_disk:
                    os.fsync(file.fileno())
        except OSError:
            self._ends_whole = False
            raise

    def clear(self) -> None:
        """Delete the journal, once the tables have its rows."""
        self._path.unlink(missing_ok=True)


def read_journal(folder: Path) -> list[Line]:
    """Read the lines of a run's journal, without an incomplete last line; no journal has no lines.

    The cells of the rows are not checked here (``suite.runs.tables.read_lines``).

    Raises:
        FileContentError: It is not a regular file, too large, closed to this user, or not a journal.
    """
    path = folder / JOURNAL
    try:
        check_regular(path, LARGEST_JSON)
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    complete = text[: text.rfind(b"\n") + 1]
    return [_line(number, line) for number, line in enumerate(complete.splitlines(), 1)]


def _line(number: int, text: bytes) -> Line:
    document = parse_json(text, infinite=True)
    if not isinstance(document, list) or len(document) != 2 or not isinstance(document[1], dict):
        raise FileContentError(f"line {number} is not a kind of row and a row")
    kind, row = document
    if kind not in get_args(Kind):
        raise FileContentError(f"line {number} is of no known kind")
    if kind == "clock":
        seconds = row.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 1e12:
            raise FileContentError(f"line {number} has no time in seconds")
    elif not isinstance(row.get("id"), str):
        raise FileContentError(f"line {number} has no id")
    return kind, row


def drop_incomplete_line(path: Path) -> None:
    """Truncate a file after its last line end: its writer was killed, or the disk was full."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        text = file.read()
        complete = text.rfind(b"\n") + 1
        if complete < len(text):
            file.truncate(complete)


def _plain(value: Any) -> Any:
    """Return a NumPy number as Python's."""
    return value.tolist()
