"""What the readers share: finding the images and tables of a set, wherever its folder lies in the source."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from suite.data.dataset_reader import ImageRecord, ReadResult, SkippedFile
from suite.data.source_files import SourceFiles
from suite.data.store import LabelRange, Split
from suite.errors import RequestError

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
SPLITS: tuple[Split, ...] = ("train", "val", "test")

_SPLIT_WORDS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "reference": "test",
}


@dataclass(frozen=True)
class Publication:
    """What errors say of a set."""

    name: str
    looked_for: str  # the layout, as the object of "looked for"
    page: str  # where its owner gives it
    images: int  # published

    def missing(self, path: Path, names: Sequence[str], lacking: str = "") -> RequestError:
        """The error of a source that is another set, or a part of this one.

        Args:
            path: the source.
            names: its files.
            lacking: what is not there, where it is a part of the layout.
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
        """How many of the published images are there."""
        if images == self.images:
            return f"all {images:,} images"
        return f"{images:,} images where {self.images:,} are published"


def visible(files: SourceFiles) -> list[str]:
    """The files without those that an operating system put there: ``__MACOSX/``, ``._x.jpg``."""
    return [
        name
        for name in files.names()
        if not any(part.startswith((".", "__")) for part in PurePosixPath(name).parts)
    ]


def is_image(name: str) -> bool:
    """Whether a name has the ending of an image."""
    return name.lower().endswith(IMAGES)


def find_file(names: Iterable[str], pattern: str) -> str | None:
    """The file whose own name matches a pattern, in any case; of several the least deep."""
    found = [name for name in names if re.fullmatch(pattern, PurePosixPath(name).name, re.IGNORECASE)]
    return min(found, key=lambda name: (name.count("/"), name), default=None)


def split_of(name: str) -> Split | None:
    """The split that a path names: the deepest part of it that names exactly one."""
    for part in reversed(PurePosixPath(name).parts):
        words = {_SPLIT_WORDS.get(word) for word in re.split(r"[^a-z]+", part.lower())} - {None}
        if len(words) == 1:
            return words.pop()
    return None


def out_of_range(attribute: str, value: float, labels: LabelRange) -> str | None:
    """Why a label cannot be used; None where it can."""
    if labels.low <= value <= labels.high:
        return None
    return f"the {attribute} is {value:g}, outside of {labels.low:g} to {labels.high:g}"


class NamedImages:
    """Finds images by the names that a table gives them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(filter(is_image, names), key=lambda name: (name.count("/"), name)):
            self._by_name[PurePosixPath(name).name.lower()].append(name)

    def find(self, named: str) -> str | None:
        """The image of a name or path: the one that shares most of the path's end."""
        wanted = PurePosixPath(named.replace("\\", "/").lower()).parts
        if not wanted:
            return None
        alike = self._by_name.get(wanted[-1], [])
        return max(alike, key=lambda name: _shared_end(name, wanted), default=None)


def _shared_end(name: str, wanted: Sequence[str]) -> int:
    parts = PurePosixPath(name.lower()).parts
    shared = 0
    for ours, theirs in zip(reversed(parts), reversed(wanted), strict=False):
        if ours != theirs:
            break
        shared += 1
    return shared


def read_names(
    names: Iterable[str], parse: Callable[[str], ImageRecord | SkippedFile], parts: int = 1
) -> tuple[list[ImageRecord], list[SkippedFile]]:
    """The records of a set that keeps its labels in file names, each image once.

    Args:
        names: of the images.
        parse: what a name says.
        parts: parts at the end of a path that tell an image from all others; a copy elsewhere counts not.
    """
    chosen: dict[tuple[str, ...], ImageRecord] = {}
    skipped: list[SkippedFile] = []
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        said = parse(name)
        key = tuple(PurePosixPath(name.lower()).parts[-parts:])
        if isinstance(said, SkippedFile):
            skipped.append(said)
        elif key in chosen:
            skipped.append(SkippedFile(name, f"the same image as {chosen[key].file}"))
        else:
            chosen[key] = said
    return sorted(chosen.values(), key=lambda record: record.file), skipped


def no_image(named: str, table: str) -> SkippedFile:
    """A label without its image."""
    return SkippedFile(named, f"{table} names it, but there is no such image", lost=True)


def sorted_result(
    records: Iterable[ImageRecord], skipped: Iterable[SkippedFile], found: str, groups: Sequence[str] = ()
) -> ReadResult:
    """A reading whose order does not depend on the file system."""
    return ReadResult(
        sorted(records, key=lambda record: record.file),
        sorted(skipped, key=lambda one: one.file),
        found,
        groups,
    )


def count_of_splits(records: Iterable[ImageRecord]) -> str:
    """How many images each official split has, in words."""
    counts = Counter(record.split for record in records)
    return ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)
