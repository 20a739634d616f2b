"""The interface of a reader: it lists the images of a data set with their labels, and those to leave out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suite.data.alignment import FivePoints
from suite.data.decoding import CropBox
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split


@dataclass(frozen=True)
class ImageRecord:
    """One image of a data set, not yet decoded."""

    file: str  # its name in the ``SourceFiles``
    labels: Mapping[str, float]  # by attribute, in label units
    groups: Mapping[str, str] = field(default_factory=dict)  # by column, such as gender; empty if unknown
    deviations: Mapping[str, float] = field(
        default_factory=dict
    )  # of the annotators, by attribute, in label units
    subject: str = ""  # the person; empty if unknown
    split: Split | None = None  # the official one
    fold: int | None = None  # the official fold, from 1, that tests on the image
    crop: CropBox | None = None  # the part of the image to take; None: the middle square
    face: FivePoints | CropBox | None = None  # landmarks or box of the face, for alignment


@dataclass(frozen=True)
class SkippedFile:
    """An image that cannot be used, and why."""

    file: str
    reason: str
    lost: bool = False  # the set lists it, but it is missing or damaged


@dataclass(frozen=True)
class ReadResult:
    """Everything that a reader found, in an order that does not depend on the file system."""

    records: Sequence[ImageRecord]
    skipped: Sequence[SkippedFile]
    found: str = ""  # describes this copy of the set, where copies differ; a clause without a full stop
    groups: Sequence[str] = ()  # columns of ``ImageRecord.groups`` that the reader itself does not name


@dataclass(frozen=True)
class DatasetReader:
    """The reader of one data set.

    Attributes:
        name: The name for ``suite data pack``.
        description: One line, for ``suite data list``.
        origin: The source of the images and its terms, without a full stop.
        attributes: The label range of each attribute.
        groups: The columns of ``ImageRecord.groups``.
        read: Lists the images. It takes the files and, for its errors, their path; it raises ``RequestError`` where
            the files are not those of the set.
        locate: Adds landmarks to records. It is called only for an alignment, and None where ``read`` finds them.
    """

    name: str
    description: str
    origin: str
    attributes: Mapping[str, LabelRange]
    groups: Sequence[str]
    read: Callable[[SourceFiles, Path], ReadResult]
    locate: Callable[[SourceFiles, Path, Sequence[ImageRecord]], Sequence[ImageRecord]] | None = None
