"""Text tables in the dialects that people and programs write: encodings, separators, quotes, decimal commas.

A row that cannot be told apart from its neighbours is never guessed: an unclosed quote ends the reading with its line.
"""

import codecs
import csv
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from suite.data.archive_safety import LARGEST_FILE

Row = Sequence[str]

#: Twice the rows of the largest set of faces with ages (IMDB-WIKI, 523,051). It keeps a small zip, in which a few bytes
#: stand for any number of rows, from filling the memory.
MOST_ROWS = 1_000_000
LONGEST_LINE = 100_000  # characters
#: Separators from the least to the most likely to be in a cell.
SEPARATORS = ("\t", ";", "|", ",")
_BLANK = " "
_LOOKED_AT = 20  # rows, for the separator
_DECIMAL_COMMA = re.compile(r"\s*([+-]?[0-9]+),([0-9]+)\s*")
#: A name and a number with a decimal comma, separated by blanks, which commas would cut in the wrong place.
_BLANK_AND_COMMA = re.compile(r"\s*[^\s,;|]+[ \t]+[+-]?[0-9]+,[0-9]+\s*")
#: What is often saved under the name of a text table, by its first bytes.
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet in an old format",
    b"PAR1": "a parquet file",
    b"\x89HDF": "an HDF5 file",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}


class UnreadableTableError(Exception):
    """A text that is not a table; the message says what it is or where it breaks, as a clause."""


def decoded(content: bytes) -> str:
    """Decode a table: UTF-8, UTF-16, UTF-32 or else Latin-1, compressed by gzip or not.

    Raises:
        UnreadableTableError: It is another kind of file, or is damaged, or unpacks to too much.
    """
    if content.startswith(b"\x1f\x8b"):
        content = _decompressed(content)
    for start, kind in _OTHER_KINDS.items():
        if content.startswith(start):
            raise UnreadableTableError(f"it is {kind}, not a text table")
    try:
        return content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        if error.encoding != "utf-8":
            raise UnreadableTableError(f"it is damaged: not {error.encoding} at byte {error.start}") from None
        return content.decode("latin-1")


def _decompressed(content: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=31)  # with the header of gzip
    try:
        unpacked = inflate.decompress(content, LARGEST_FILE + 1)
    except zlib.error as error:
        raise UnreadableTableError(f"its gzip is damaged: {error}") from None
    if len(unpacked) > LARGEST_FILE:
        raise UnreadableTableError(f"it unpacks to more than the limit of {LARGEST_FILE:,} bytes")
    if not inflate.eof:
        raise UnreadableTableError("its gzip ends too early")
    return unpacked


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the first begins as UTF-16 does
        return "utf-32"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Without the mark, the null byte beside the first letter shows the order of the bytes.
    if content[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if content[:1] == b"\0" else "utf-8-sig"


def rows_of(text: str) -> Iterator[tuple[int, Row]]:
    """Yield the rows that are not empty, each with the number of its line, from 1.

    The cells are separated by tabs, semicolons, bars, commas or blanks; a first line ``sep=;`` says by which. Where the
    separator is a semicolon, a decimal comma becomes a point.

    Raises:
        UnreadableTableError: A quote is not closed in its row, or a line or the table is too long.
    """
    if text.count("\n") > MOST_ROWS:
        raise UnreadableTableError(f"it has over {MOST_ROWS:,} rows, the most of a set")
    lines = io.StringIO(text, newline="")
    first, separator = _separator(lines)
    numbered = _rows(lines, first, separator)
    for count, (line, cells) in enumerate(numbered, start=1):
        if count > MOST_ROWS:
            raise UnreadableTableError(f"it has over {MOST_ROWS:,} rows, the most of a set")
        yield line, [_with_point(cell) for cell in cells] if separator == ";" else cells


def _separator(lines: io.StringIO) -> tuple[int, str]:
    """The number of lines before the first row, and the separator. The text then stands at the first row."""
    said = re.fullmatch(r"sep=([^\w\"\r\n])\s*", lines.readline(LONGEST_LINE), re.IGNORECASE)
    if said:
        return 1, said[1]
    lines.seek(0)
    start = [line for line in islice(_short(lines), _LOOKED_AT * 2) if line.strip()][:_LOOKED_AT]
    lines.seek(0)
    if start and all(map(_BLANK_AND_COMMA.fullmatch, start)):
        return 0, _BLANK
    for mark in SEPARATORS:
        if _is_separator(mark, start):
            return 0, mark
    header = start[0] if start else ""
    most = max(SEPARATORS, key=header.count)
    return 0, most if most in header else _BLANK


def _is_separator(mark: str, lines: Sequence[str]) -> bool:
    """Whether a mark divides all lines into the same number of cells."""
    try:
        widths = {len(cells) for cells in csv.reader(lines, delimiter=mark) if cells}
    except csv.Error:
        return False
    return len(widths) == 1 and widths.pop() > 1


def _short(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            raise UnreadableTableError(f"line {number:,} has over {LONGEST_LINE:,} characters")
        yield line


def _rows(lines: Iterable[str], before: int, separator: str) -> Iterator[tuple[int, Row]]:
    if separator == _BLANK:
        split = ((number, line.split()) for number, line in enumerate(_short(lines), start=before + 1))
        yield from ((number, cells) for number, cells in split if cells)
        return
    # Strict, because otherwise a quote that is not closed swallows the rows that follow.
    reader = csv.reader(_short(lines), delimiter=separator, strict=True)
    first: Row = []
    while True:
        line = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise UnreadableTableError(f"line {line:,} has a quote that is not closed in its cell") from None
        first = first or cells
        # A cell may have several lines, but not whole rows: its quote is then one that a later row closed.
        if any(_is_row(part, first, separator) for cell in cells for part in cell.splitlines()[1:]):
            raise UnreadableTableError(f"line {line:,} has a quote that is not closed in its row")
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield line, stripped


def _is_row(line: str, first: Row, separator: str) -> bool:
    """Whether a line of a cell has as many cells as the first row, with blanks after the separators like there.

    A sentence has a blank after each comma, which most tables have not.
    """
    cells = line.split(separator)
    return len(cells) == max(len(first), 2) and _has_blanks(cells) == _has_blanks(first)


def _has_blanks(cells: Row) -> bool:
    filled = [cell for cell in cells[1:] if cell]
    return bool(filled) and all(cell.startswith(" ") for cell in filled)


def _with_point(cell: str) -> str:
    comma = _DECIMAL_COMMA.fullmatch(cell)
    return f"{comma[1]}.{comma[2]}" if comma else cell
