"""A run without what tells where somebody lives: paths become names, and addresses are left out.

A report is passed around. Names, hashes and versions are what its provenance needs.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from suite.files.paths import home_folder
from suite.runs.info import RunInfo
from suite.runs.tables import Run

#: Options of commands whose value is an address, or a folder for the results.
PRIVATE_OPTIONS = ("--address", "--out", "--output")
#: Columns of ``trials.parquet`` with a file.
FILE_COLUMNS = ("backbone", "pruned_from", "teacher")
#: A scheme has a bounded length, so that a long word is read once and not from each of its letters.
URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s'\"]+")
_NUMBERS = r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|\[[0-9A-Fa-f:]+:[0-9A-Fa-f:]*\](?::\d+)?"
#: A short name needs the four digits of a port, because ``epoch:12`` is no host; a line of a program is none either.
_NAMES = r"[A-Za-z][\w-]*(?:\.[\w-]+)+(?<!\.py):\d{2,5}|[A-Za-z][\w-]*:\d{4,5}"
#: A host by its numbers, or by its name with a port, and the user before it.
HOST = re.compile(rf"(?<![\w./:-])(?:[\w.-]+@)?(?:{_NUMBERS}|{_NAMES})(?![\w.]*\w)")
#: A path in quotes, as Python's errors name it: it may have blanks.
QUOTED = re.compile(r"(['\"])~?/[^'\"\n]*?([^/'\"\n]+)/?\1")
#: A home folder, whose name may be that of a person, with blanks.
HOME = re.compile(r"(?<![\w.~-])/(?:home|Users)/[^\s/'\",;:()]+(?: [^\s/'\",;:()]+){0,2}/")
#: A path from the root or from a home folder, as far as it has no blanks.
ABSOLUTE = re.compile(r"(?<![\w.:/~-])(?:~[\w.-]*)?/(?:[^\s/'\"<>,;:()\[\]{}]+/)*([^\s/'\"<>,;:()\[\]{}]+)/?")


def portable(run: Run) -> Run:
    """Return a run for a report that others may read; its folder stays, to read its files."""
    known = _known_paths(run)
    return dataclasses.replace(run, info=_portable_info(run.info, known), trials=_portable_rows(run, known))


def portable_location(location: str) -> str:
    """Return the location of a run without the folders above it, if it is a URL or an absolute path."""
    return _name_of(location)


def portable_sentence(text: str) -> str:
    """Return a sentence without addresses, and with names in the place of paths."""
    return _without_paths(text)


def _known_paths(run: Run) -> tuple[str, ...]:
    """Return the absolute paths that fields and columns of the run hold whole, and the home, the longest first."""
    info = run.info
    texts = [str(run.folder), str(home_folder()), info.data.folder, info.search_file, *_texts(info.search)]
    texts += [word.rpartition("=")[2] for word in info.command]
    for column in FILE_COLUMNS:
        texts += _texts(run.trials[column].dropna().unique().tolist() if column in run.trials else [])
    # Of a description, only the first line of a path is one.
    paths = {text.rstrip("/") for text in texts if text.startswith(("/", "~/")) and "\n" not in text}
    return tuple(sorted((path for path in paths if len(path) > 1), key=len, reverse=True))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of JSON."""
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for part in inner:
        yield from _texts(part)


def _portable_info(info: RunInfo, known: Sequence[str]) -> RunInfo:
    return dataclasses.replace(
        info,
        command=list(_words(info.command, known)),
        search=_shortened(info.search, known),
        search_file=_name_of(info.search_file, known),
        data=dataclasses.replace(
            info.data,
            folder=_name_of(info.data.folder, known),
            origin=_without_paths(info.data.origin, known),
            protocol=_without_paths(info.data.protocol, known),
        ),
        hardware=_shortened(info.hardware, known),
        resources=dataclasses.replace(info.resources, address=None),
        ended_early=_without_paths(info.ended_early, known),
    )


def _portable_rows(run: Run, known: Sequence[str]) -> pd.DataFrame:
    def shorten(change: Callable[[str, Sequence[str]], str]) -> Callable[[Any], Any]:
        return lambda cell: change(cell, known) if isinstance(cell, str) else cell

    changes = {**dict.fromkeys(FILE_COLUMNS, shorten(_name_of)), "cause": shorten(_without_paths)}
    return run.trials.assign(
        **{name: run.trials[name].map(change) for name, change in changes.items() if name in run.trials}
    )


def _words(command: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line without private options, and with names in the place of paths."""
    is_value = False
    for word in command:
        if is_value:
            is_value = False
            continue
        option, equals, value = word.partition("=")
        if _is_private(option):
            is_value = not equals
            continue
        if word.startswith("-o"):
            is_value = word == "-o"  # otherwise the value is in the same word
            continue
        yield f"{option}={_name_of(value, known)}" if equals else _name_of(word, known)


def _is_private(option: str) -> bool:
    """Whether an option, which a command line may abbreviate, is one whose value is private."""
    return len(option) > len("--") and any(name.startswith(option) for name in PRIVATE_OPTIONS)


def _shortened(value: Any, known: Sequence[str]) -> Any:
    """Return JSON with names in the place of paths."""
    if isinstance(value, Mapping):
        return {key: _shortened(inner, known) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(inner, known) for inner in value]
    return _name_of(value, known) if isinstance(value, str) else value


def _name_of(text: str, known: Sequence[str] = ()) -> str:
    """Return the last part of a path or URL; other text without the paths in it."""
    if URL.fullmatch(text):
        return PurePath(urlsplit(text).path).name or "storage"
    if text.startswith(("/", "~/")):
        return PurePath(text).name
    return _without_paths(text, known)


def _without_paths(text: str, known: Sequence[str] = ()) -> str:
    """Return a sentence without addresses, and with names in the place of paths.

    Args:
        text: The sentence.
        known: Paths that it may name, which may have blanks, the longest first.
    """
    text = URL.sub("(address)", text)
    for path in known:
        # The folders below it, if any, are a path themselves.
        text = text.replace(f"{path}/", "~/").replace(path, PurePath(path).name)
    text = HOME.sub("~/", QUOTED.sub(r"\1\2\1", text))
    return ABSOLUTE.sub(r"\1", HOST.sub("(address)", text))
