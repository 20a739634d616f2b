"""Spreadsheets (xlsx), read within limits: a cell may claim any row, and a few bytes may unpack to any number."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from suite.data.archive_safety import DAMAGE_ERRORS, UnreadableFileError
from suite.data.readers.tables import missing_extra, read_bytes
from suite.data.readers.text_tables import Row
from suite.data.source_files import SourceFiles
from suite.data.zip_files import bounded_zip
from suite.errors import RequestError

# They are several times what the ratings of SCUT-FBP5500 have.
LARGEST_BOOK = 300_000_000  # bytes when unpacked
LARGEST_PART = 5_000_000  # bytes of a part that is parsed as a whole, such as the texts that cells share
MOST_CELLS = 5_000_000  # with the empty ones before the last of a row
_SHEETS = "xl/worksheets/"
_EMPTY_ROW = 10  # cells that an empty row counts for, because nothing but the number of a later row claims it


def read_sheets(files: SourceFiles, name: str, path: Path) -> Iterator[Iterator[Row]]:
    """Yield the sheets of a spreadsheet (xlsx), each as rows of text; empty cells are "".

    Raises:
        RequestError: openpyxl is not installed, or the file is not a spreadsheet or too large.
    """
    try:
        import openpyxl.reader.excel
    except ImportError:
        raise missing_extra(f"{name} of {path} is a spreadsheet") from None
    content = read_bytes(files, name, path)
    try:
        bounded = io.BytesIO(bounded_zip(content, LARGEST_BOOK))
    except (UnreadableFileError, *DAMAGE_ERRORS) as error:
        raise _unreadable(name, path, str(error)) from None
    try:
        reader = openpyxl.reader.excel.ExcelReader(bounded, read_only=True, data_only=True)
        _check_parts(reader)
        reader.read_chartsheet = lambda sheet, relation: (
            None
        )  # it has no rows, and would be parsed as a whole
        reader.read()
        book = reader.wb
    except UnreadableFileError as error:
        raise _unreadable(name, path, str(error)) from None
    except Exception as error:  # a damaged book makes openpyxl raise nearly anything
        raise _unreadable(name, path, type(error).__name__) from None
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a wrong claim of its size would hide rows
            yield _rows(sheet.values, name, path)
    finally:
        book.close()


def _check_parts(reader: Any) -> None:
    """Refuse a book with a large part other than its sheets, which alone are parsed while they are used.

    Args:
        reader: The ``openpyxl.reader.excel.ExcelReader``.

    Raises:
        UnreadableFileError: There is such a part, or it is declared to be something else than it is named.
    """
    from openpyxl.xml.constants import WORKSHEET_TYPE

    sizes = {member.filename: member.file_size for member in reader.archive.infolist()}
    for name, size in sizes.items():
        is_sheet = name.startswith(_SHEETS) and name.endswith(".xml")
        if name.endswith((".xml", ".rels")) and not is_sheet:
            _check_part(name, size)
    reader.read_manifest()
    # The manifest tells which part holds what, whatever the name of the part is.
    for part in reader.package.Override:
        name = part.PartName[1:]
        if part.ContentType != WORKSHEET_TYPE and name in sizes:
            _check_part(name, sizes[name])


def _check_part(name: str, size: int) -> None:
    if size > LARGEST_PART:
        raise UnreadableFileError(
            f"its {name[:40]} has {size:,} bytes when unpacked, over the limit of {LARGEST_PART:,}"
        )


def _rows(values: Iterable[Iterable[object]], name: str, path: Path) -> Iterator[Row]:
    """The rows of a sheet, which is parsed while they are used."""
    cells = 0
    try:
        for row in values:
            texts = ["" if cell is None else str(cell).strip() for cell in row]
            cells += len(texts) or _EMPTY_ROW
            if cells > MOST_CELLS:
                raise UnreadableFileError(f"a sheet of it claims over {MOST_CELLS:,} cells")
            yield texts
    except UnreadableFileError as error:
        raise _unreadable(name, path, str(error)) from None
    except Exception as error:  # as above
        raise _unreadable(name, path, type(error).__name__) from None


def _unreadable(name: str, path: Path, reason: str) -> RequestError:
    return RequestError(
        f"{name} of {path} is not a readable spreadsheet ({reason[:200]}); get the set again from its owner, or save "
        "it as CSV"
    )
