"""What a reader of a public set finds: images with their labels, and what it had to leave out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange


@dataclass(frozen=True)
class Record:
    """One image of a set, not yet decoded."""

    file: str  # its name among the SourceFiles, which read its bytes
    labels: Mapping[str, float]  # by attribute, in label units
    groups: Mapping[str, str]  # by column, such as gender; empty where the set does not say


@dataclass(frozen=True)
class Skipped:
    """An image that cannot be used, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """All of a set, in an order that does not depend on the file system."""

    records: Sequence[Record]
    skipped: Sequence[Skipped]


@dataclass(frozen=True)
class Reader:
    """How one public set is read.

    ``read`` takes the files and their path, which it needs for its errors: a ``RequestError`` where
    the files are not those of the set.
    """

    name: str
    description: str  # one line, for ``suite data list``
    origin: str  # where the images come from and under which terms, without a full stop
    attributes: Mapping[str, LabelRange]
    groups: Sequence[str]  # the columns of Record.groups
    read: Callable[[SourceFiles, Path], Reading]
