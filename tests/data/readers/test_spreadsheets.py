"""Spreadsheets that claim more than they hold, or are damaged."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suite.data.readers import spreadsheets
from suite.data.readers.spreadsheets import read_sheets
from suite.data.source_files import open_source
from suite.errors import RequestError
from tests.data.readers.conftest import spreadsheet

LayOut = Callable[[Mapping[str, bytes]], Path]
SHEET = "xl/worksheets/sheet1.xml"


def changed(member: str, old: bytes, new: bytes) -> bytes:
    """A spreadsheet in which the content of a member was changed."""
    written = io.BytesIO()
    book = spreadsheet(Sheet1=[("Image", "Rating"), (1, 2), (2, 3)])
    with zipfile.ZipFile(io.BytesIO(book)) as before, zipfile.ZipFile(written, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            assert name != member or old in content
            after.writestr(name, content.replace(old, new) if name == member else content)
    return written.getvalue()


def read(lay_out: LayOut, book: bytes) -> list[list[list[str]]]:
    path = lay_out({"ratings.xlsx": book})
    with open_source(path) as files:
        return [[list(row) for row in sheet] for sheet in read_sheets(files, "ratings.xlsx", path)]


def test_the_rows_of_a_sheet_are_text(lay_out: LayOut) -> None:
    book = spreadsheet(Sheet1=[("Image", "Rating"), (1, None), (2, 3.5)])
    assert read(lay_out, book) == [[["Image", "Rating"], ["1"], ["2", "3.5"]]]


def test_a_wrong_claim_of_the_size_hides_no_rows(lay_out: LayOut) -> None:
    book = changed(SHEET, b'ref="A1:B3"', b'ref="A1"')
    assert read(lay_out, book) == [[["Image", "Rating"], ["1", "2"], ["2", "3"]]]


@pytest.mark.parametrize("claim", [(b'<row r="3"', b'<row r="2000000000"'), (b'r="B3"', b'r="XFD3"')])
def test_a_cell_far_away_is_refused(
    claim: tuple[bytes, bytes], lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_CELLS", 10_000)
    with pytest.raises(RequestError, match=r"ratings\.xlsx of .* \(a sheet of it claims over 10,000 cells\)"):
        read(lay_out, changed(SHEET, *claim))


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        (SHEET, b"</row>", b"</rows>"),
        (SHEET, b'r="A2"', b'r="?"'),
        (SHEET, b'<row r="2"', b'<row r="two"'),
        ("xl/workbook.xml", b"</workbook>", b""),
        ("[Content_Types].xml", b"<Types", b"<Tipes"),
        ("xl/styles.xml", b"<styleSheet", b"<sheet"),
    ],
)
def test_a_damaged_spreadsheet_ends_in_one_sentence(
    member: str, old: bytes, new: bytes, lay_out: LayOut
) -> None:
    with pytest.raises(RequestError, match="is not a readable spreadsheet") as caught:
        read(lay_out, changed(member, old, new))
    assert "\n" not in str(caught.value)
