"""A sitting of a search: its ``run.json`` and its clock, from its beginning to whatever end it comes to."""

import dataclasses
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from suite.runs import RunInfo, RunStatus, write_info


class Sitting:
    """What is known of the run so far. Whatever was noted is still there when the sitting ends.

    Attributes:
        info: what ``run.json`` says, or will say with the next note.
        has_noted: the sitting has changed ``run.json``.
    """

    def __init__(self, folder: Path, info: RunInfo) -> None:
        self.info = info
        self.has_noted = False
        self._folder = folder
        self._zero = time.monotonic() - info.seconds

    @property
    def seconds(self) -> float:
        """Wall time of the search, its earlier sittings included."""
        return time.monotonic() - self._zero

    def note(self, **changes: Any) -> None:
        """Write what has come to be known: fields of ``RunInfo``."""
        self.info = dataclasses.replace(self.info, **changes)
        write_info(self._folder, self.info)
        self.has_noted = True

    def end(self, status: RunStatus) -> RunInfo:
        """Write how it ended, and when."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        self.note(status=status, ended=now, seconds=self.seconds)
        return self.info
