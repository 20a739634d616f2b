"""Tables of labels: CSV in the dialects of the data sets, and spreadsheets."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from zipfile import BadZipFile

from suite.data.archive_safety import UnreadableFileError
from suite.data.source_files import SourceFiles
from suite.data.zip_files import bounded_zip
from suite.errors import RequestError

Row = Sequence[str]

#: Several times the unpacked ratings of SCUT-FBP5500. Keeps a forged spreadsheet from filling the memory.
LARGEST_BOOK = 500_000_000  # bytes


def read_bytes(files: SourceFiles, name: str, path: Path) -> bytes:
    """Read the content of a table.

    Raises:
        RequestError: The file cannot be read. (Without its table the set has no labels.)
    """
    try:
        return files.read(name)
    except UnreadableFileError as error:
        raise RequestError(
            f"{name} of {path} cannot be read ({error}); get the set again from its owner"
        ) from None


def read_rows(files: SourceFiles, name: str, path: Path) -> list[Row]:
    """Read the rows of a text table with commas, semicolons, tabs or blanks between the cells.

    Raises:
        RequestError: The file cannot be read.
    """
    content = read_bytes(files, name, path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    delimiter = next((mark for mark in (",", ";", "\t") if mark in lines[0]), " ")
    if delimiter == " ":
        return [line.split() for line in lines]
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise RequestError(
            f"{name} of {path} is not a readable text table ({error}); get the set again"
        ) from None


def read_records(files: SourceFiles, name: str, path: Path) -> list[Mapping[str, str]]:
    """Read a text table as mappings from column to cell; the first row names the columns, in lower case here."""
    rows = read_rows(files, name, path)
    if not rows:
        return []
    header = [cell.lower() for cell in rows[0]]
    # Cells that a short row lacks are empty.
    return [dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=False)) for row in rows[1:]]


def columns_of(rows: Sequence[Mapping[str, str]]) -> set[str]:
    """Return the columns of the result of ``read_records``."""
    return set(rows[0]) if rows else set()


def number(text: str | None) -> float | None:
    """Parse a finite number; None where the text is none."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_sheets(files: SourceFiles, name: str, path: Path) -> Iterator[Iterator[Row]]:
    """Yield the sheets of a spreadsheet (xlsx), each as rows of text; empty cells are "".

    Raises:
        RequestError: openpyxl is not installed, or the file is not a spreadsheet.
    """
    try:
        import openpyxl
    except ImportError:
        raise missing_extra(f"{name} of {path} is a spreadsheet") from None
    content = read_bytes(files, name, path)
    try:
        bounded = io.BytesIO(bounded_zip(content, LARGEST_BOOK))
        book = openpyxl.load_workbook(bounded, read_only=True, data_only=True)
    except (UnreadableFileError, BadZipFile, KeyError, ValueError, OSError) as error:
        raise RequestError(
            f"{name} of {path} is not a readable spreadsheet ({error}); get the set again from its owner"
        ) from None
    try:
        for sheet in book.worksheets:
            yield (["" if c is None else str(c).strip() for c in row] for row in sheet.values)
    except (ElementTree.ParseError, KeyError, ValueError) as error:  # rows are parsed while they are read
        raise RequestError(
            f"{name} of {path} is not a readable spreadsheet ({error}); get the set again from its owner"
        ) from None
    finally:
        book.close()


def missing_extra(need: str) -> RequestError:
    """Make the error for labels that need a package which a plain installation lacks."""
    return RequestError(f'{need}, which needs the optional packages: pip install "suite[sets]"')
