"""What a reader of a public set finds: images with their labels, and what it had to leave out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suite.data.alignment import FivePoints
from suite.data.decoding import CropBox
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split


@dataclass(frozen=True)
class ImageRecord:
    """One image of a set, not yet decoded."""

    file: str  # its name among the SourceFiles, which read its bytes
    labels: Mapping[str, float]  # by attribute, in label units
    groups: Mapping[str, str] = field(default_factory=dict)  # by column, such as gender; empty: not said
    deviations: Mapping[str, float] = field(default_factory=dict)  # of the annotators, by attribute
    subject: str = ""  # who is pictured; empty: not said
    split: Split | None = None  # the official one
    fold: int | None = None  # the official fold, from 1, that tests on the image
    crop: CropBox | None = None  # the part of the image to take; None: its middle square
    face: FivePoints | CropBox | None = None  # where the set says that the face is, for an alignment


@dataclass(frozen=True)
class SkippedFile:
    """An image that cannot be used, and why."""

    file: str
    reason: str
    lost: bool = False  # the set means it to be used, and it is missing or damaged


@dataclass(frozen=True)
class ReadResult:
    """All of a set, in an order that does not depend on the file system."""

    records: Sequence[ImageRecord]
    skipped: Sequence[SkippedFile]
    found: str = ""  # what this copy of the set is, where copies differ; a clause without a full stop
    groups: Sequence[str] = ()  # columns of ImageRecord.groups beyond those that the reader names


@dataclass(frozen=True)
class DatasetReader:
    """How one public set is read.

    ``read`` takes the files and their path, which it needs for its errors: a ``RequestError`` where
    the files are not those of the set.
    """

    name: str
    description: str  # one line, for ``suite data list``
    origin: str  # where the images come from and under which terms, without a full stop
    attributes: Mapping[str, LabelRange]
    groups: Sequence[str]  # the columns of ImageRecord.groups
    read: Callable[[SourceFiles, Path], ReadResult]
    #: Fills in where the faces are, where that is in files of its own, which are read for an alignment only.
    locate: Callable[[SourceFiles, Path, Sequence[ImageRecord]], Sequence[ImageRecord]] | None = None
