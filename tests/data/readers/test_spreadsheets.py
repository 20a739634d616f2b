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


def with_texts(part: str) -> bytes:
    """A spreadsheet whose cells could share 5,001 texts, in a part of this name."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    declared = f'<Override PartName="/{part}" ContentType="{kind}" /></Types>'.encode()
    written = io.BytesIO(changed("[Content_Types].xml", b"</Types>", declared))
    with zipfile.ZipFile(written, "a") as book:
        start = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>Image</t></si>'
        book.writestr(part, start + "<si/>" * 5_000 + "</sst>")
    return written.getvalue()


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/texts.xml", "xl/texts"])
def test_many_shared_texts_are_refused_unparsed_whatever_their_part_is_called(
    part: str, lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = with_texts(part)
    assert read(lay_out, book)[0][0] == ["Image", "Rating"]
    monkeypatch.setattr(spreadsheets, "LARGEST_PART", 20_000)
    monkeypatch.setattr("openpyxl.reader.excel.read_string_table", lambda part: pytest.fail("it was parsed"))
    with pytest.raises(
        RequestError, match=rf"its {part} has .* bytes when unpacked, over the limit of 20,000"
    ):
        read(lay_out, book)


@pytest.mark.parametrize("large", ["xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml"])
def test_another_part_that_is_parsed_as_a_whole_is_limited(
    large: str, lay_out: LayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "LARGEST_PART", 20_000)
    with pytest.raises(RequestError, match="bytes when unpacked, over the limit of 20,000"):
        read(lay_out, changed(large, b"</", b" " * 20_000 + b"</"))


def test_a_sheet_may_be_larger_than_such_a_part(lay_out: LayOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "LARGEST_PART", 20_000)
    rows = read(lay_out, spreadsheet(Sheet1=[(n, n + 1) for n in range(1000)]))[0]
    assert len(rows) == 1000


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
