"""Markdown: tables, and text from outside that stays text in it."""

import re
from collections.abc import Iterable, Sequence

from suite.printable import printable

#: What opens a link, an image, code, a cell or emphasis. An underscore inside a word opens nothing.
_OPENING = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
#: What opens a heading, a list, a rule or the like where it begins a line.
_LINE_OPENING = re.compile(r"^(?:[#+=:-]|\d+(?=[.)]))")
#: What makes an address, which GitHub turns into a link without any markup.
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.|@|(?<=mailto):|(?<=xmpp):", re.IGNORECASE)
LONGEST_TEXT = 600  # characters


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a head for each column; the cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: object) -> str:
    """Return text as Markdown that shows it as it is: on one line, without markup, links or HTML of its own."""
    shown = printable(text).strip()
    if len(shown) > LONGEST_TEXT:
        shown = f"{shown[:LONGEST_TEXT]}..."
    escaped = _OPENING.sub(r"\\\g<0>", shown).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = _ADDRESS.sub(lambda found: f"&#{ord(found[0])};", escaped)
    return _LINE_OPENING.sub(_not_opening, escaped)


def code(text: object) -> str:
    """Return text as a code span; a backtick, which would end it, becomes an apostrophe."""
    shown = printable(text).replace("`", "'")[:LONGEST_TEXT]
    return f"`{shown.replace('|', '/')}`"


def _not_opening(found: re.Match[str]) -> str:
    """Return the beginning of a line with a backslash, which must stand before punctuation."""
    start = found[0]
    return f"{start}\\" if start.isdigit() else f"\\{start}"
