"""Text from outside, made safe for a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.printable import UNPRINTABLE, printable


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
