"""A run without what tells where somebody lives: paths become names, and addresses are left out.

A report is passed around. Names, hashes and versions are what its provenance needs.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from suite.runs.info import RunInfo
from suite.runs.tables import Run

#: Options of commands whose value is an address, or a folder for the results.
PRIVATE_OPTIONS = ("--address", "--out", "-o", "--output")
#: Columns of ``trials.parquet`` with files or sentences.
TEXT_COLUMNS = ("backbone", "pruned_from", "teacher", "cause")
#: A scheme has a bounded length, so that a long word is read once and not from each of its letters.
URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s'\"]+")
#: A path from the root or from a home folder, as far as it has no blanks.
ABSOLUTE = re.compile(r"(?<![\w.:/~-])(?:~[\w.-]*)?/(?:[^\s/'\"<>,;:()\[\]{}]+/)*([^\s/'\"<>,;:()\[\]{}]+)/?")


def portable(run: Run) -> Run:
    """Return a run for a report that others may read; its folder stays, to read its files."""
    return dataclasses.replace(run, info=_portable_info(run.info), trials=_portable_rows(run))


def portable_location(location: str) -> str:
    """Return the location of a run without the folders above it, if it is a URL or an absolute path."""
    return _name_of(location)


def _portable_info(info: RunInfo) -> RunInfo:
    return dataclasses.replace(
        info,
        command=list(_words(info.command)),
        search=_shortened(info.search),
        search_file=_name_of(info.search_file),
        data=dataclasses.replace(
            info.data,
            folder=_name_of(info.data.folder),
            origin=_without_paths(info.data.origin),
            protocol=_without_paths(info.data.protocol),
        ),
        hardware=_shortened(info.hardware),
        resources=dataclasses.replace(info.resources, address=None),
        ended_early=_without_paths(info.ended_early),
    )


def _portable_rows(run: Run) -> pd.DataFrame:
    known = [text for text in (str(run.folder), run.info.data.folder) if len(text) > 1]

    def shorten(cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        for path in known:
            cell = cell.replace(path, PurePath(path).name)
        return _name_of(cell) if cell.startswith(("/", "~")) and " " not in cell else _without_paths(cell)

    columns = [name for name in TEXT_COLUMNS if name in run.trials]
    return run.trials.assign(**{name: run.trials[name].map(shorten) for name in columns})


def _words(command: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line without private options, and with names in the place of paths."""
    is_value = False
    for word in command:
        if is_value:
            is_value = False
            continue
        option, equals, value = word.partition("=")
        if option in PRIVATE_OPTIONS:
            is_value = not equals
            continue
        yield f"{option}={_name_of(value)}" if equals else _name_of(word)


def _shortened(value: Any) -> Any:
    """Return JSON with names in the place of paths."""
    if isinstance(value, Mapping):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(inner) for inner in value]
    return _name_of(value) if isinstance(value, str) else value


def _name_of(text: str) -> str:
    """Return the last part of a path or URL; other text without the paths in it."""
    if URL.fullmatch(text):
        return PurePath(urlsplit(text).path).name or "storage"
    if text.startswith(("/", "~/")):
        return PurePath(text).name
    return _without_paths(text)


def _without_paths(text: str) -> str:
    return ABSOLUTE.sub(r"\1", URL.sub("(address)", text))
