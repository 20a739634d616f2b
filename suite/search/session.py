"""A session of a search: what it works on, its ``run.json`` and its clock, to whatever end it comes."""

import dataclasses
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from search_spaces import SearchSpace
from suite.data.store import Store
from suite.runs.info import Resources, RunInfo, RunStatus, write_info
from suite.runs.watcher import Watcher


@dataclass(frozen=True)
class Search:
    """What is searched, with what and where: everything that the stages of a session share."""

    space: SearchSpace
    store: Store
    folder: Path
    resources: Resources
    watcher: Watcher


class Session:
    """What is known of the run so far. Whatever was noted is still there when the session ends.

    Attributes:
        info: what ``run.json`` says, or will say with the next note.
        has_noted: the session has changed ``run.json``.
    """

    def __init__(self, folder: Path, info: RunInfo) -> None:
        self.info = info
        self.has_noted = False
        self._folder = folder
        self._zero = time.monotonic() - info.seconds

    @property
    def seconds(self) -> float:
        """Wall time of the search, its earlier sessions included."""
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
