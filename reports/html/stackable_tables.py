"""Tables whose rows a narrow window stacks, a cell below the other, each under the title of its column."""

import re
from html import escape, unescape
from html.parser import HTMLParser

from markupsafe import Markup

_ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
_ROLES_OF_HEADS = {"col": "columnheader", "row": "rowheader", "rowgroup": "rowheader"}


#: The table of trials is left out: its rows are compared and sorted by column, so it scrolls at every width.
_TABLE = re.compile(r'<table(?! class="sortable").*?</table>', flags=re.DOTALL)


def stackable(markup: Markup) -> Markup:
    """Return a part of a page, whose tables a style sheet can then show as stacked rows.

    Each cell gets the title of its column, in ``data-label``, and each part of a table its ARIA role: in some browsers
    a table that is no longer displayed as one is none to a screen reader either.

    Args:
        markup: As a template wrote it. Its tables have a head of one row, and no cell but a heading spans columns.
    """
    return Markup(_TABLE.sub(lambda found: _stackable(found.group()), str(markup)))


def _stackable(table: str) -> str:
    parser = _Stackable()
    parser.feed(table)
    parser.close()
    return "".join(parser.parts)


class _Stackable(HTMLParser):
    """Copies markup as it is written, and adds to the tags of a table."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._titles: list[str] = []
        self._column = 0
        self._in_head = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        added = ""
        if tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self._column = 0
        elif tag in ("td", "th"):
            added = self._label(tag)
        elif self._in_head and self._titles:
            self._titles[-1] += " "  # before a note on a line of its own
        role = _ROLES_OF_HEADS[dict(attrs)["scope"] or ""] if tag == "th" else _ROLES.get(tag)
        if role:
            added += f' role="{role}"'
        written = self.get_starttag_text() or ""
        self.parts.append(f"<{tag}{added}{written[1 + len(tag) :]}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "thead":
            self._in_head = False
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def _label(self, tag: str) -> str:
        """Begin a title in the head; elsewhere return the attribute with that of the cell's column."""
        if self._in_head:
            self._titles.append("")
            return ""
        column, self._column = self._column, self._column + 1
        if tag == "th":
            return ""
        title = re.sub(r"\s+", " ", unescape(self._titles[column])).strip()
        return f' data-label="{escape(title)}"'

    def _write(self, text: str) -> None:
        if self._in_head and self._titles:
            self._titles[-1] += text
        self.parts.append(text)
