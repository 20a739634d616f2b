"""The problems of a search space as sentences: where, what is wrong, what is allowed."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: The path of a value in a document: ("vary", "widths", 2, "low").
Path = tuple[str | int, ...]


class SearchSpaceError(ValueError):
    """A search space that cannot be used; the message is one sentence with the file and line."""


@dataclass(frozen=True)
class Problem:
    """A fault in a document.

    Attributes:
        path: Of the value at fault.
        sentence: What is wrong, and what is allowed.
    """

    path: Path
    sentence: str


def refusal(problems: Sequence[Problem], locations: Mapping[Path, str]) -> SearchSpaceError:
    """Return the error that names the first problem, its location, and how many others there are.

    Args:
        problems: At least one.
        locations: ``file:line`` by path. A value without one has that of the nearest enclosing value, so
            the empty path must be among them.
    """
    path = problems[0].path
    while path not in locations:
        path = path[:-1]
    others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return SearchSpaceError(f"{locations[path]}: {problems[0].sentence}{others}")


def dotted(path: Path) -> str:
    """Return a path as text: ``vary.widths[2].low``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_short(part)}" for part in path)
    return text.removeprefix(".")


def shown(value: object) -> str:
    """Return a value as in YAML, cut where it is long."""
    try:
        return _short(json.dumps(value, ensure_ascii=True))
    except (TypeError, ValueError):
        return _short(str(value))


def alternatives(values: Iterable[object]) -> str:
    """Return ``a, b or c``."""
    *others, last = [str(value) for value in values]
    return f"{', '.join(others)} or {last}" if others else last


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return ``; did you mean "trials"?``, or nothing where no known word is similar."""
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
