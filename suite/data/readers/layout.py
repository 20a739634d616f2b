"""Shared by the readers: finding the images and tables of a data set in any subfolder of the source."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from suite.data.alignment import FivePoints
from suite.data.archive_safety import UnreadableFileError
from suite.data.dataset_reader import ImageRecord, ReadResult, SkippedFile
from suite.data.file_names import AmbiguousNameError, comparable
from suite.data.source_files import SourceFiles, is_of_the_system
from suite.data.store import LabelRange, Split
from suite.errors import RequestError

T = TypeVar("T")

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
#: Why an image is left out that has two rows with different labels, people or splits.
CONTRADICTED = "its rows contradict each other"
SPLITS: tuple[Split, ...] = ("train", "val", "test")

_SPLIT_WORDS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Publication:
    """A data set as published, for errors and summaries."""

    name: str
    looked_for: str  # the layout, as the object of "looked for"
    page: str  # the address where its owner offers it
    images: int  # the published number

    def missing(self, path: Path, names: Sequence[str], lacking: str = "") -> RequestError:
        """Make the error for a source that is another set, or an incomplete copy of this one.

        Args:
            path: The source.
            names: Its files.
            lacking: The part of the layout that is missing; empty if nothing matches.
        """
        pictures = sum(is_image(name) for name in names)
        others = [name for name in names if not is_image(name)]
        first = f", the first {others[0]!r}" if others else ""
        return RequestError(
            f"{path} is not {self.name} as its owner distributes it: looked for {self.looked_for}"
            f"{f', but there is no {lacking}' if lacking else ''} (found {pictures:,} images and "
            f"{len(others):,} other files{first}); name the folder, zip or tar of {self.name}, which is at "
            f"{self.page}"
        )

    def found(self, images: int) -> str:
        """Say how many of the published images were found."""
        if images == self.images:
            return f"all {images:,} images"
        return f"{images:,} images where {self.images:,} are published"


def visible(files: SourceFiles) -> list[str]:
    """List the files without those that are hidden or that an operating system adds."""
    return [name for name in files.names() if not is_of_the_system(name)]


def is_image(name: str) -> bool:
    """Whether a file name has the ending of an image."""
    return name.lower().endswith(IMAGE_ENDINGS)


def find_file(names: Iterable[str], pattern: str) -> str | None:
    """Find the file whose name without folders matches a pattern, ignoring case; of several, the least deep."""
    found = [name for name in names if re.fullmatch(pattern, PurePosixPath(name).name, re.IGNORECASE)]
    return min(found, key=lambda name: (name.count("/"), name), default=None)


def split_of(name: str, common: int = 0) -> Split | None:
    """Return the split that a path names; None where no part of it names exactly one.

    The deepest folder that names one counts. The file name counts only where no folder does, because a table in a
    folder of validation images may be called anything.

    Args:
        name: The path.
        common: The number of its first folders that all files of the source share. They count last: a folder around
            the whole set says nothing about a part of it.
    """
    parts = PurePosixPath(name).parts
    around, folders = parts[:common], parts[common:-1]
    for part in (*reversed(folders), *parts[-1:], *reversed(around)):
        words = {_SPLIT_WORDS.get(word) for word in re.split(r"[^a-z]+", part.lower())} - {None}
        if len(words) == 1:
            return words.pop()
    return None


def common_folders(names: Iterable[str]) -> int:
    """Count the folders around all files of a source."""
    folders = {PurePosixPath(name).parent.parts for name in names}
    shared = 0
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return shared


def out_of_range(attribute: str, value: float, labels: LabelRange) -> str | None:
    """Return why a label cannot be used; None where it can."""
    if labels.low <= value <= labels.high:
        return None
    return f"the {attribute} is {value:g}, outside of {labels.low:g} to {labels.high:g}"


class NamedImages:
    """An index that finds images by the names in a table."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(filter(is_image, names), key=lambda name: (name.count("/"), name)):
            self._by_name[_last(name).casefold()].append(name)

    def find(self, path: str) -> str | None:
        """Find the image of a name or path; of several, the one that shares the longest end of the path.

        Raises:
            AmbiguousNameError: Two in one folder differ from it, and from each other, in upper and lower case.
        """
        form = comparable(path)
        parts = PurePosixPath(form.casefold()).parts
        if not parts:
            return None
        candidates = self._by_name.get(parts[-1], [])
        if len(candidates) > 1:  # two files may differ in upper and lower case alone
            own = PurePosixPath(form).name
            candidates = [name for name in candidates if _last(name) == own] or candidates
        found = max(candidates, key=lambda name: _shared_end(name, parts), default=None)
        if found is not None and len(candidates) > 1:
            folder = PurePosixPath(found).parent
            spelt = {_last(name): name for name in candidates if PurePosixPath(name).parent == folder}
            if len(spelt) > 1:
                raise AmbiguousNameError(spelt.values())
        return found


def _last(name: str) -> str:
    return PurePosixPath(comparable(name)).name


def _shared_end(name: str, path: Sequence[str]) -> int:
    """The number of parts at the end that a name and a path share."""
    parts = PurePosixPath(comparable(name).casefold()).parts
    shared = 0
    for ours, theirs in zip(reversed(parts), reversed(path), strict=False):
        if ours != theirs:
            break
        shared += 1
    return shared


def read_names(
    names: Iterable[str], parse: Callable[[str], ImageRecord | SkippedFile], parts: int = 1
) -> tuple[list[ImageRecord], list[SkippedFile]]:
    """Read a set that keeps its labels in file names, taking each image once.

    Args:
        names: The names of the images.
        parse: Reads the label from a name.
        parts: The number of parts at the end of a path that identify an image; further copies are skipped.
    """
    chosen: dict[tuple[str, ...], ImageRecord] = {}
    skipped: list[SkippedFile] = []
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        parsed = parse(name)
        key = tuple(PurePosixPath(comparable(name).casefold()).parts[-parts:])
        if isinstance(parsed, SkippedFile):
            skipped.append(parsed)
        elif key in chosen:
            skipped.append(SkippedFile(name, f"the same image as {chosen[key].file}"))
        else:
            chosen[key] = parsed
    return sorted(chosen.values(), key=lambda record: record.file), skipped


def without_copies(
    files: SourceFiles, records: Iterable[ImageRecord]
) -> tuple[list[ImageRecord], list[SkippedFile]]:
    """Take each image once where files have the same content; a file that cannot be read is kept for its reason."""
    first: dict[bytes, str] = {}
    kept: list[ImageRecord] = []
    skipped: list[SkippedFile] = []
    for record in records:
        digest = digest_of(files, record.file)
        if digest is not None and (other := first.setdefault(digest, record.file)) != record.file:
            skipped.append(SkippedFile(record.file, f"the same content as {other}"))
        else:
            kept.append(record)
    return kept, skipped


def digest_of(files: SourceFiles, name: str) -> bytes | None:
    """A digest of a file's content; None where it is empty or cannot be read."""
    try:
        content = files.read(name)
    except UnreadableFileError:
        return None
    return hashlib.blake2b(content, digest_size=16).digest() if content else None


def without_row(
    names: Iterable[str], listed: Iterable[str], splits: Mapping[str, Split | None] | None = None
) -> list[SkippedFile]:
    """Make the entries for images of a set that no table lists.

    Other versions of an image, such as its face crop or a copy in another folder, have none of their own.

    Args:
        names: The files of the source.
        listed: The images that a table lists.
        splits: The split of each file, where splits number their images alike.
    """

    def version(name: str) -> tuple[Split | None, str]:
        return (splits or {}).get(name), _last(name).casefold().removesuffix("_face.jpg")

    known = {version(name) for name in listed}
    unlisted = {version(name): name for name in names if is_image(name) and version(name) not in known}
    return [SkippedFile(name, "no table has a row of it", lost=True) for name in unlisted.values()]


class ImageRows:
    """The rows of tables, joined to one record of each image.

    Rows of one image complete each other: an empty cell says nothing. An image whose rows contradict each other is
    lost: which of them is right, nobody can tell.
    """

    def __init__(self) -> None:
        self.skipped: dict[SkippedFile, None] = {}  # in order; tables may repeat each other
        self._records: dict[str, ImageRecord] = {}
        self._contradicted: set[str] = set()
        self._unusable: set[str] = set()

    def add(self, record: ImageRecord, repeated: str = "") -> None:
        """Add a row.

        Args:
            record: What it says.
            repeated: The reason to name where an earlier row says the same; empty where that needs no word.
        """
        first = self._records.setdefault(record.file, record)
        if first is record:
            return
        joined = _joined(first, record)
        self._records[record.file] = joined or first
        if joined is None:
            self._contradicted.add(record.file)
            self.skipped[SkippedFile(record.file, CONTRADICTED, lost=True)] = None
        elif repeated:
            self.skipped[SkippedFile(record.file, repeated)] = None

    def skip(self, one: SkippedFile) -> None:
        """Add a row that cannot be used. No other row of the image counts then: they contradict each other."""
        self.skipped[one] = None
        self._unusable.add(one.file)

    @property
    def records(self) -> list[ImageRecord]:
        """The images that no rows disagree about, in the order of their first rows."""
        left_out = self._contradicted | self._unusable
        return [record for file, record in self._records.items() if file not in left_out]

    @property
    def listed(self) -> set[str]:
        """All images that have a row."""
        return {*self._records, *(one.file for one in self.skipped)}

    def are_of_another_set(self, names: Iterable[str]) -> bool:
        """Whether no row says anything of these files, not even something that is unusable."""
        here = set(names)
        return not self._records and not any(one.lost and one.file in here for one in self.skipped)


def _joined(one: ImageRecord, other: ImageRecord) -> ImageRecord | None:
    """What two rows of an image say together; None where they contradict each other."""
    groups = _union(_said(one.groups), _said(other.groups))
    deviations = _union(one.deviations, other.deviations)
    if one.labels != other.labels or groups is None or deviations is None:
        return None
    for field in ("subject", "split", "fold", "crop"):
        known, new = getattr(one, field) or None, getattr(other, field) or None
        if known is not None and new is not None and known != new:
            return None
    faces = [face for face in (one.face, other.face) if face is not None]
    landmarks = [face for face in faces if isinstance(face, FivePoints)]  # where there are none, the crop box
    if len(set(landmarks or faces)) > 1:
        return None
    return replace(
        one,
        groups={group: groups.get(group, "") for group in {**one.groups, **other.groups}},
        deviations=deviations,
        subject=one.subject or other.subject,
        split=one.split or other.split,
        fold=one.fold or other.fold,
        crop=one.crop or other.crop,
        face=next(iter(landmarks or faces), None),
    )


def _said(groups: Mapping[str, str]) -> Mapping[str, str]:
    return {group: value for group, value in groups.items() if value}


def _union(one: Mapping[str, T], other: Mapping[str, T]) -> dict[str, T] | None:
    """The entries of both; None where they have different values of one."""
    if any(other.get(key, value) != value for key, value in one.items()):
        return None
    return {**one, **other}


def ambiguous(name: str, table: str, error: AmbiguousNameError) -> SkippedFile:
    """Make the entry for a label whose image two files may be."""
    return SkippedFile(
        name, f"{table} lists it, but {error}: rename one, or spell it as the file is", lost=True
    )


def no_image(name: str, table: str) -> SkippedFile:
    """Make the entry for a label without its image."""
    return SkippedFile(name, f"{table} lists it, but there is no such image", lost=True)


def sorted_result(
    records: Iterable[ImageRecord], skipped: Iterable[SkippedFile], found: str, groups: Sequence[str] = ()
) -> ReadResult:
    """Make a result whose order does not depend on the file system."""
    return ReadResult(
        sorted(records, key=lambda record: record.file),
        sorted(skipped, key=lambda one: one.file),
        found,
        groups,
    )


def count_of_splits(records: Iterable[ImageRecord]) -> str:
    """Say how many images each official split has."""
    counts = Counter(record.split for record in records)
    return ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)
