"""CSV for people: whatever a name is, it stays in its cell and is not computed."""

import csv
import io

import pandas as pd
import pytest

from suite.files.csv_text import csv_text


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_what_looks_like_a_formula_is_text(name: str) -> None:
    assert read(csv_text(pd.DataFrame({"source": [name]}))) == [["source"], [f"'{name}"]]


@pytest.mark.parametrize("name", ["a.jpg", "a=1.jpg", "a\rb", "a\nb", 'a "b", c', "", "é"])
def test_other_names_are_as_they_are(name: str) -> None:
    assert read(csv_text(pd.DataFrame({"source": [name], "age": [-1.5]}))) == [
        ["source", "age"],
        [name, "-1.5"],
    ]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))
