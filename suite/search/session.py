"""A session of a search: what it works on, its ``run.json`` and its clock."""

import dataclasses
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from search_spaces import SearchSpace
from suite.data.store import Store
from suite.runs.folder import gone_error, is_run
from suite.runs.info import Resources, RunInfo, RunStatus, write_info
from suite.runs.watcher import Watcher


@dataclass(frozen=True)
class Search:
    """What the stages of a search share.

    Attributes:
        space: The search space.
        store: The data.
        folder: Of the run.
        resources: The cluster, and the share of a trial.
        watcher: Is notified of the progress of the search.
    """

    space: SearchSpace
    store: Store
    folder: Path
    resources: Resources
    watcher: Watcher


class Session:
    """The ``run.json`` of a run while a session works on it.

    Attributes:
        info: The content of ``run.json``, or what the next note writes.
        has_noted: The session has written ``run.json``.
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
        """Change fields of ``RunInfo``, and write ``run.json``.

        Raises:
            RequestError: The run folder was deleted or moved meanwhile.
            OSError: It cannot be written to.
        """
        if not is_run(self._folder):
            raise gone_error(self._folder)
        self.info = dataclasses.replace(self.info, **changes)
        write_info(self._folder, self.info)
        self.has_noted = True

    def end(self, status: RunStatus) -> RunInfo:
        """Write how the session ended, and when."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        self.note(status=status, ended=now, seconds=self.seconds)
        return self.info
