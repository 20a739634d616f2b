"""``suite report``: where it is written, and what it refuses."""

import dataclasses
from pathlib import Path

import pytest

from suite.cli.main import main
from suite.data.store import Store
from suite.runs.info import write_info
from tests.support.run_folders import info_of, write_run


@pytest.mark.parametrize("output", ["nosuch/report.html", "empty"])
def test_a_report_that_cannot_be_written_is_one_sentence(
    output: str, here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    before = sorted(here.iterdir())
    assert main(["report", "run", "-o", output]) == 2
    assert sorted(here.iterdir()) == before
    assert capsys.readouterr().err.startswith(f"suite: {output} cannot be written (")


def test_a_report_is_written_where_it_is_asked_for(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    assert main(["report", "run", "-o", "mine.html"]) == 0
    assert capsys.readouterr().out == "mine.html\n"
    assert "<html" in (here / "mine.html").read_text(encoding="utf-8")
    assert not (here / "run" / "report.html").exists()


def test_a_run_of_another_schema_version_is_refused(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_info(here / "empty", dataclasses.replace(info_of(store.folder), schema_version=99))
    assert main(["report", "empty"]) == 2
    assert "has schema version 99" in capsys.readouterr().err
