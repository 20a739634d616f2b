"""Which files of a folder are images to estimate, and what is passed over, by reason."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.data.decoding import ENDINGS
from suite.data.source_files import is_of_the_system

#: Endings of the images that are looked for in a folder; a file that is named itself may have any ending.
SUFFIXES = tuple(ending for endings in ENDINGS.values() for ending in endings)
#: Endings that are named where files are passed over for them.
MOST_NAMED = 3


@dataclass(frozen=True)
class UnreadableFile:
    """A file or folder that could not be read, and the reason."""

    file: str
    reason: str


@dataclass(frozen=True)
class PassedOver:
    """An entry of a folder that is not taken for an image.

    Attributes:
        reason: Why, as a noun for several, such as "links to folders".
        ending: The ending of its name where that is why; else empty.
    """

    reason: str
    ending: str = ""


@dataclass(frozen=True)
class FoundImages:
    """The images that were looked for.

    Attributes:
        files: Images to estimate, and folders without any, in order.
        unreadable: Folders below those that were named that cannot be read.
        passed_over: Other entries of the folders.
    """

    files: Sequence[Path]
    unreadable: Sequence[UnreadableFile]
    passed_over: Sequence[PassedOver]

    def describe_passed_over(self) -> str:
        """Say how many entries were passed over, by reason; empty where there are none."""
        counts = Counter(entry.reason for entry in self.passed_over)
        endings: Mapping[str, Counter[str]] = {
            reason: Counter(one.ending for one in self.passed_over if one.reason == reason and one.ending)
            for reason in counts
        }
        return "; ".join(
            f"{reason}: {count:,}{_named(endings[reason])}" for reason, count in sorted(counts.items())
        )


def find_images(paths: Iterable[Path]) -> FoundImages:
    """Return files as they are and, for each folder, all images in it and below, by name.

    Links to folders are not followed: one to a parent would never end. A folder without images is returned itself, so
    that it is reported as unreadable.
    """
    files: list[Path] = []
    unreadable: list[UnreadableFile] = []
    passed_over: list[PassedOver] = []
    for path in paths:
        if not is_folder(path):
            files.append(path)
            continue
        failed: list[UnreadableFile] = []
        images: list[Path] = []
        for entry in _entries(path, failed):
            why = _why_passed_over(entry.relative_to(path), entry)
            if why is None:
                images.append(entry)
            else:
                passed_over.append(why)
        files += sorted(images) or ([] if failed else [path])
        unreadable += failed
    return FoundImages(files, unreadable, passed_over)


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False where that cannot be known."""
    try:
        return path.is_dir()
    except (OSError, ValueError):  # such as too long a name; reading the file reports it
        return False


def _entries(folder: Path, failed: list[UnreadableFile]) -> Iterator[Path]:
    """Yield what is no folder, in a folder and below; folders that cannot be read go to ``failed``."""
    left = [folder]  # os.walk calls itself, and fails in deep folders
    while left:
        parent = left.pop()
        try:
            with os.scandir(parent) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(parent / entry.name)
                    else:
                        yield parent / entry.name
        except OSError as error:
            failed.append(UnreadableFile(str(parent), error.strerror or type(error).__name__))


def _why_passed_over(relative: Path, entry: Path) -> PassedOver | None:
    """Why an entry is no image; None where it is one, or a broken link, which is kept to be reported."""
    if is_of_the_system(relative.as_posix()):
        return PassedOver("hidden files and files of the system")
    if is_folder(entry):
        return PassedOver("links to folders")
    if entry.suffix.lower() not in SUFFIXES:
        return PassedOver("files with other endings", entry.suffix.lower() or "none")
    return None


def _named(endings: "Counter[str]") -> str:
    if not endings:
        return ""
    commonest = sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count:,} {ending}" for ending, count in commonest[:MOST_NAMED]]
    more = ", ..." if len(endings) > MOST_NAMED else ""
    return f" ({', '.join(named)}{more})"
