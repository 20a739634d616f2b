"""The rows of a run that its tables do not have yet: ``rows.journal``, of which nothing that ended is lost.

To write both tables anew for every trial that ends takes longer the more trials there are. So what ends is
appended here, a JSON object a line, and on disk before anybody hears of it; the tables are written now and
then, and the journal, whose rows they then have, is deleted. Whoever reads a run reads the journal first and
the tables after it, so that rows which move from one to the other in between are met once at least.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

JOURNAL = "rows.journal"
Row = dict[str, Any]
#: "epochs" and "trials" are rows of the tables; "amend" are columns of a trial that is there already; "clock"
#: is how long the search has lasted, for one that is killed before it can say so.
Kind = Literal["epochs", "trials", "amend", "clock"]
Line = tuple[Kind, Mapping[str, Any]]


@dataclass
class Rows:
    """Rows of both tables, each once.

    Attributes:
        trials: by id, in the order in which they ended.
        epochs: by the id of their trial, then by number.
        seconds: how long the search had lasted, as far as the journal knows.
    """

    trials: dict[str, Row] = field(default_factory=dict)
    epochs: dict[str, dict[int, Row]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, kind: Kind, row: Mapping[str, Any]) -> None:
        """Take in a line; a row that is there already is replaced."""
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
        """The rows of epochs of trials that ended, trial by trial."""
        return [row for trial_id in self.trials for row in self.epochs_of(trial_id)]

    def epochs_of(self, trial_id: str) -> list[Row]:
        """The rows of a trial's epochs, ascending."""
        epochs = self.epochs.get(trial_id, {})
        return [epochs[number] for number in sorted(epochs)]


class RowJournal:
    """The journal of a run folder, as its one driver writes it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._is_mended = False

    def append(self, lines: Iterable[Line], *, to_disk: bool = True) -> None:
        """Write lines; unless ``to_disk`` is False they outlive a power cut from here on.

        Raises:
            OSError: they cannot be written; what was written of them is dropped on reading.
        """
        self._mend()
        text = "".join(json.dumps([kind, row], default=_plain) + "\n" for kind, row in lines)
        try:
            with self._path.open("ab") as file:
                file.write(text.encode())
                file.flush()
                if to_disk:
                    os.fsync(file.fileno())
        except OSError:
            self._is_mended = False
            raise

    def clear(self) -> None:
        """Delete it: the tables have its rows."""
        self._path.unlink(missing_ok=True)

    def _mend(self) -> None:
        if not self._is_mended:
            cut_torn_line(self._path)
            self._is_mended = True


def read_journal(folder: Path) -> list[Line]:
    """The lines of a run's journal, none where there is no journal; a torn last line is left out."""
    try:
        text = (folder / JOURNAL).read_bytes()
    except FileNotFoundError:
        return []
    whole = text[: text.rfind(b"\n") + 1]
    return [(kind, row) for kind, row in map(json.loads, whole.splitlines())]


def cut_torn_line(path: Path) -> None:
    """Cut off the last line of a file where it lacks its end: its writer was killed, or had no room."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        text = file.read()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            file.truncate(whole)


def _plain(value: Any) -> Any:
    """A number of numpy as Python's."""
    return value.tolist()
