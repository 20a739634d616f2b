"""Tables of labels among the files of a set: their rows, their columns and their numbers."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suite.data.archive_safety import UnreadableFileError
from suite.data.readers.text_tables import Row, UnreadableTableError, decoded, rows_of
from suite.data.source_files import TEXT_TABLES, SourceFiles, name_of_table
from suite.errors import RequestError

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")


@dataclass(frozen=True)
class Records:
    """A table whose first row names its columns.

    Attributes:
        columns: Their names in lower case; a column without a name is left out.
        rows: Column to cell, read once and while they are used; cells that a short row lacks are empty. It raises
            ``RequestError`` where the table is faulty, so that a text that is no table harms nobody who looks at the
            columns only.
        unread: Columns whose type has no cells of text or numbers, in lower case, and the type.
    """

    columns: Sequence[str]
    rows: Iterator[Mapping[str, str]]
    unread: Mapping[str, str] = field(default_factory=dict)


def is_text_table(name: str) -> bool:
    """Whether a file may be a table of text by its ending; a ``.txt`` may be prose as well."""
    return name.lower().endswith((*TEXT_TABLES, ".txt"))


def read_bytes(files: SourceFiles, name: str, path: Path) -> bytes:
    """Read the content of a table.

    Raises:
        RequestError: The file cannot be read. (Without its table the set has no labels.)
    """
    try:
        return files.read(name)
    except UnreadableFileError as error:
        raise RequestError(
            f"{name_of_table(name, path)} cannot be read ({error}); get the set again from its owner"
        ) from None


def read_rows(files: SourceFiles, name: str, path: Path) -> Iterator[Row]:
    """Read the rows of a text table in any dialect of ``text_tables``.

    Raises:
        RequestError: The file cannot be read, or a row of it cannot.
    """
    return (row for _, row in read_numbered_rows(files, name, path))


def rows_if_table(files: SourceFiles, name: str, path: Path) -> list[Row]:
    """Read the rows of a file that may be a table or prose: a ``.txt`` that is no table has none.

    Raises:
        RequestError: The file cannot be read, or is a faulty table.
    """
    try:
        return list(read_rows(files, name, path))
    except RequestError:
        if name.lower().endswith(".txt"):
            return []
        raise


def read_records(files: SourceFiles, name: str, path: Path) -> Records:
    """Read a text table whose first row names the columns.

    Raises:
        RequestError: The file cannot be read. Faults of its rows are raised while these are used: one that breaks the
            form of the table, or has more cells than columns; or two columns with one name.
    """
    numbered = read_numbered_rows(files, name, path)
    try:
        _, titles = next(numbered, (1, []))
    except RequestError as error:
        return Records((), _raising(error))
    header = [title.lower() for title in titles]
    return Records(
        [title for title in header if title], _by_column(header, numbered, name_of_table(name, path))
    )


def read_numbered_rows(files: SourceFiles, name: str, path: Path) -> Iterator[tuple[int, Row]]:
    """Read the rows of a text table, each with the number of its line; see ``read_rows``."""
    content = read_bytes(files, name, path)
    try:
        yield from rows_of(decoded(content))
    except UnreadableTableError as error:
        raise RequestError(
            f"{name_of_table(name, path)} cannot be read as a table: {error}; correct it, or save it again as CSV"
        ) from None


def _raising(error: RequestError) -> Iterator[Mapping[str, str]]:
    raise error
    yield


def _by_column(
    header: Sequence[str], rows: Iterator[tuple[int, Row]], source: str
) -> Iterator[Mapping[str, str]]:
    check_columns(header, source)
    width = len(header)
    for line, row in rows:
        if any(row[width:]):
            raise RequestError(
                f"line {line:,} of {source} has {len(row)} cells, but its header names {width} columns; put a cell "
                "that contains the separator in quotes"
            )
        cells = zip(header, [*row, *[""] * (width - len(row))], strict=False)
        yield {column: cell for column, cell in cells if column}


def check_columns(columns: Sequence[str], source: str) -> None:
    """Refuse a table with two columns of one name, of which only one would be used.

    Raises:
        RequestError: A name is there twice.
    """
    if twice := [name for name, count in Counter(columns).items() if name and count > 1]:
        raise RequestError(
            f"the header of {source} names the column {twice[0]!r} more than once; rename or delete one of them"
        )


def number(text: str | None) -> float | None:
    """Parse a finite decimal number; None where the text is none."""
    value = float(text) if text and _NUMBER.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def has_decimal_comma(cell: str) -> bool:
    """Whether a cell would be a number if its comma were a point."""
    return _DECIMAL_COMMA.fullmatch(cell) is not None


def not_a_number(what: str, cell: str) -> str:
    """Say, as a clause, what is wrong with a cell that ``number`` does not take.

    Args:
        what: What the cell should be, such as "the age".
        cell: What it is.
    """
    mend = ": write a decimal point, or separate the columns by semicolons" if has_decimal_comma(cell) else ""
    return f"{what} is {cell[:40]!r}, which is not a number{mend}"


def deviation_in(cell: str, attribute: str) -> float | str | None:
    """Read the annotators' deviation: None where the cell is empty, the reason where it cannot be used."""
    if not cell:
        return None
    value = number(cell)
    if value is None:
        return not_a_number(f"the deviation of the {attribute}", cell)
    return value if value >= 0 else f"the deviation of the {attribute} is {value:g}, below 0"


def missing_extra(need: str) -> RequestError:
    """Make the error for labels that need a package which a plain installation lacks."""
    return RequestError(f'{need}, which needs the optional packages: pip install "suite[sets]"')
