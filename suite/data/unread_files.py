"""Files that may hold a set, or a part of one, but are not read as they are, and what to do with them first."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from suite.data.archive_safety import GIT_LFS_POINTER
from suite.errors import RequestError

_ARCHIVE = re.compile(r".*\.(?:zip|7z|rar|tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst))", re.IGNORECASE)
#: A part of a divided archive: x.tar.xzaa, x.tar.gz.partab, x.zip.001, x.z01, x.part2.rar
_PART = re.compile(
    r"(?P<whole>.*\.(?:zip|7z|rar|tar|tgz|tar\.(?:gz|bz2|xz|zst)))(?:[._-]?(?:part[-_.]?)?a[a-z]|\.[0-9]{2,3})"
    r"|(?P<zip>.*)\.z[0-9]{2}|(?P<rar>.*)\.part[0-9]+\.rar",
    re.IGNORECASE,
)
_KINDS_BY_START = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it and name its folder",
    b"Rar!": "a rar archive; unpack it and name its folder",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it and name its folder",
    b"SQLite": "a database; write its rows to a CSV",
    b"\x89HDF": "an HDF5 file; write its images to files and their labels to a CSV",
    GIT_LFS_POINTER: "a pointer of Git LFS, not the file; get the file with 'git lfs pull'",
}
_KINDS_BY_ENDING = {
    (".xlsx", ".xls", ".ods", ".numbers"): "a spreadsheet; save it as CSV and name that",
    (
        ".json",
        ".jsonl",
        ".feather",
        ".arrow",
        ".pkl",
        ".pickle",
    ): "no table that is read; save it as CSV or parquet",
}


def check_kind(path: Path, shown: Path) -> None:
    """Refuse a file that may be meant as a set but is of a kind that is not read.

    Args:
        path: The file.
        shown: The path that errors show.

    Raises:
        RequestError: It is one, or has no content; the message names the kind and what to do.
    """
    name = path.name.lower()
    if part := _PART.fullmatch(path.name):
        raise RequestError(f"{path} is a part of a divided archive; {_joining(part)}")
    with path.open("rb") as file:
        start = file.read(max(map(len, _KINDS_BY_START)))
    if not start:
        raise RequestError(f"{shown} is empty; get it again from its owner")
    kinds = [kind for first, kind in _KINDS_BY_START.items() if start.startswith(first)]
    kinds += [kind for endings, kind in _KINDS_BY_ENDING.items() if name.endswith(endings)]
    if kinds:
        raise RequestError(f"{path} is {kinds[0]}")


def advice_on(names: Iterable[str]) -> str:
    """Say which files of a source are archives, whose content is not read, as a clause; empty if there are none."""
    packed = [name for name in names if _ARCHIVE.fullmatch(name) or _PART.fullmatch(name)]
    if not packed:
        return ""
    first = PurePosixPath(packed[0]).name
    more = f" and {len(packed) - 1:,} more archives" if len(packed) > 1 else ""
    part = _PART.fullmatch(first)
    todo = _joining(part) if part else "unpack it in its folder"
    return f"{first}{more} in it is still packed and was not looked into: {todo}"


def _joining(part: "re.Match[str]") -> str:
    whole = part["whole"]
    if whole is None:
        return "unpack it with a program that joins the parts, such as 7z, and name the folder"
    return f"join the parts in their order (cat {whole}?* > {whole}), and unpack the result"


@contextlib.contextmanager
def adding(advice: str) -> Iterator[None]:
    """Add advice to the message of a ``RequestError``."""
    try:
        yield
    except RequestError as error:
        raise (type(error)(f"{error}; {advice}") if advice else error) from None
