"""Text tables in many dialects, and those that are refused."""

import gzip

import pytest

from suite.data.readers import text_tables
from suite.data.readers.text_tables import UnreadableTableError, decoded, rows_of

TABLE = "path,age\na.jpg,25\nb.jpg,26\n"
ROWS = [["path", "age"], ["a.jpg", "25"], ["b.jpg", "26"]]


def rows(text: str) -> list[list[str]]:
    return [list(row) for _, row in rows_of(text)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
def test_the_separator_is_found(separator: str) -> None:
    assert rows(TABLE.replace(",", separator)) == ROWS


def test_a_first_line_may_say_the_separator() -> None:
    assert rows("sep=;\r\npath;age\r\na.jpg;25,5\r\n") == [["path", "age"], ["a.jpg", "25.5"]]


def test_the_separator_divides_all_rows_alike() -> None:
    assert rows("path;a, b;c\nx.jpg;1,5;2\n") == [["path", "a, b", "c"], ["x.jpg", "1.5", "2"]]
    assert rows("a.jpg;20,5;3,5\nb.jpg;21;3\n") == [["a.jpg", "20.5", "3.5"], ["b.jpg", "21", "3"]]


def test_a_decimal_comma_is_understood_only_beside_semicolons() -> None:
    assert rows("path\tage\na.jpg\t25,5\n")[1] == ["a.jpg", "25,5"]
    assert rows("AF1.jpg 2,1\nAF2.jpg 2,2\n") == [["AF1.jpg", "2,1"], ["AF2.jpg", "2,2"]]
    assert rows("a b.jpg,25\nc d.jpg,26\n") == [["a b.jpg", "25"], ["c d.jpg", "26"]]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_the_encoding_is_found(encoding: str) -> None:
    assert rows(decoded("path,age\nZoë.jpg,25\n".encode(encoding)))[1] == ["Zoë.jpg", "25"]


def test_a_compressed_table_is_read_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(TABLE.encode())
    assert rows(decoded(packed)) == ROWS
    monkeypatch.setattr(text_tables, "LARGEST_FILE", 20)
    with pytest.raises(UnreadableTableError, match="unpacks to more than the limit of 20 bytes"):
        decoded(packed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04...", "a zip or a spreadsheet, not a text table"),
        (b"PAR1", "a parquet file"),
        (b"<!DOCTYPE html><p>log in", "a web page"),
        (gzip.compress(b"path,age", mtime=0)[:-9], "its gzip ends too early"),
        (b"\x1f\x8b\x08 no gzip", "its gzip is damaged"),
        ("path,age".encode("utf-16") + b"\x00", "it is damaged: not utf-16"),
    ],
)
def test_another_kind_of_file_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableTableError, match=reason):
        decoded(content)


@pytest.mark.parametrize("after", ["", ',"too"', ',"too'])
def test_a_quote_that_is_not_closed_is_named_with_its_line(after: str) -> None:
    lines = ["path,age,note", *(f"{n}.jpg,25,good" for n in range(1, 120))]
    lines[90] = '90.jpg,25,"blurry'
    lines[100] += after
    with pytest.raises(UnreadableTableError, match="line 91 has a quote that is not closed"):
        rows("\n".join(lines))


def test_a_quote_that_a_later_row_closes_is_named_with_its_line() -> None:
    lines = ["path,age,note", *(f"{n}.jpg,25,good" for n in range(1, 9))]
    lines[3], lines[6] = '3.jpg,25,"blurry', '6.jpg,25,blurry"'
    with pytest.raises(UnreadableTableError, match="line 4 has a quote that is not closed in its row"):
        rows("\n".join(lines))


@pytest.mark.parametrize("said", ["first line\nwell, he, said", "one\na,b,c,d", "one\na, b,", "one\n, b"])
@pytest.mark.parametrize("column", [0, 2])
def test_a_line_of_a_cell_may_have_separators_that_make_no_row(said: str, column: int) -> None:
    cells = ["a.jpg", "25", "good"]
    cells[column] = said
    line = ",".join(f'"{cell}"' for cell in cells)
    assert rows(f"path,age,note\n{line}\n")[1:] == [[cell.strip() for cell in cells]]


def test_a_swallowed_row_with_blanks_after_its_separators_is_found() -> None:
    with pytest.raises(UnreadableTableError, match="line 2 has a quote that is not closed in its row"):
        rows('path, age, note\na.jpg, 25,"x\nb.jpg, 26, y"\n')


def test_a_cell_in_quotes_may_have_separators_quotes_and_lines() -> None:
    text = 'path,age,note\n"a, b.jpg",25,"says ""hi""\nand goes"\nc.jpg,26,5" tall\n'
    assert rows(text)[1:] == [["a, b.jpg", "25", 'says "hi"\nand goes'], ["c.jpg", "26", '5" tall']]
    assert [line for line, _ in rows_of(text)] == [1, 2, 4]


def test_a_separator_of_unicode_is_no_end_of_a_line() -> None:
    assert rows("path,age\na\u2028b.jpg,25\nc\x85d.jpg,26\n")[1:] == [
        ["a\u2028b.jpg", "25"],
        ["c\x85d.jpg", "26"],
    ]


def test_a_table_of_too_many_rows_or_too_long_a_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_tables, "MOST_ROWS", 2)
    with pytest.raises(UnreadableTableError, match="it has over 2 rows"):
        rows(TABLE)
    monkeypatch.undo()
    monkeypatch.setattr(text_tables, "LONGEST_LINE", 5)
    with pytest.raises(UnreadableTableError, match="line 1 has over 5 characters"):
        rows(TABLE)
