"""Text from outside, made safe for a terminal."""

import contextlib
import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import RequestError
from suite.printable import UNPRINTABLE, print_json, print_line, print_log, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a face.jpg", "a face.jpg"),
        ("Größe 日本", "Größe 日本"),
        ("a\nsuite: done", "a\\nsuite: done"),
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("\udce4.jpg", "\\xe4.jpg"),  # the byte E4 of a name that is not UTF-8
        ("\ud800", "\\ud800"),
        ("\x9b2J", "\\x9b2J"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_encoded_and_stays_on_its_line(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(c) in UNPRINTABLE for c in shown)


@given(st.text(st.characters(exclude_categories=[])))
def test_json_is_exact_and_plain(text: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        print_json({text: [text]})
    printed = output.getvalue()
    assert printed.endswith("\n")
    assert printed[:-1].isascii()
    assert printed[:-1].isprintable()
    assert json.loads(printed) == {text: [text]}


def test_a_line_stays_one_line_and_a_log_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_line("a\nb")
    assert print_log("a\tb\n\x1b[2Jc\r")
    assert capsys.readouterr().out == "a\\nb\na\tb\n\\x1b[2Jc\\r"


class Unwritable(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_progress_that_cannot_be_printed_does_not_end_the_work() -> None:
    assert print_line("3 of 4", Unwritable()) is False


def test_results_that_cannot_be_printed_are_a_fault() -> None:
    with (
        contextlib.redirect_stdout(Unwritable()),
        pytest.raises(RequestError, match=r"cannot be written to \(No space left on device\)"),
    ):
        print_line("the result")
