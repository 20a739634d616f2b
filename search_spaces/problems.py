"""How a fault of a search space is named: where it is, what is wrong, what is allowed."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: Where a value stands in a document: ("vary", "widths", 2, "low").
Path = tuple[str | int, ...]


class SearchSpaceError(ValueError):
    """A search space that cannot be used; the message is one sentence with the file and line."""


@dataclass(frozen=True)
class Problem:
    """A fault at a place in a document; ``sentence`` says what is wrong and what is allowed."""

    path: Path
    sentence: str


def refusal(problems: Sequence[Problem], places: Mapping[Path, str]) -> SearchSpaceError:
    """The error that names the first problem, where it stands, and how many others there are.

    Args:
        problems: at least one.
        places: ``file:line`` of the values that have one; the nearest enclosing value answers for
            those that have none. The empty path must be there.
    """
    path = problems[0].path
    while path not in places:
        path = path[:-1]
    others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return SearchSpaceError(f"{places[path]}: {problems[0].sentence}{others}")


def dotted(path: Path) -> str:
    """``vary.widths[2].low``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_short(part)}" for part in path)
    return text.removeprefix(".")


def shown(value: object) -> str:
    """A value as YAML would have it, cut where it is long."""
    try:
        return _short(json.dumps(value, ensure_ascii=True))
    except (TypeError, ValueError):
        return _short(str(value))


def alternatives(values: Iterable[object]) -> str:
    """``a, b or c``."""
    *others, last = [str(value) for value in values]
    return f"{', '.join(others)} or {last}" if others else last


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """``; did you mean "trials"?``, or nothing where no known word is near."""
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
