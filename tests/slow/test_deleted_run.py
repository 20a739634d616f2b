"""A run folder that is deleted, moved or emptied while a search works in it is not made anew."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.runs.journal import JOURNAL
from suite.runs.layout import LOCK
from suite.runs.tables import read_run
from tests.support.drivers import Driver

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def delete(folder: Path) -> None:
    for _ in range(2):  # a trial may have written in between
        shutil.rmtree(folder, ignore_errors=True)


def move(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


@pytest.mark.parametrize("what", [delete, move, empty], ids=lambda what: what.__name__)
def test_the_search_ends_with_one_sentence_and_no_table_is_written_where_there_is_no_run(
    what: Callable[[Path], None], drive: Callable[..., Driver], search_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    driver = drive("run", "--search", str(search_file), "--out", str(folder), "--max-concurrent", "1")
    driver.wait_for_trials(2)
    what(folder)
    assert driver.end() == 2
    sentences = [line for line in driver.said if line.startswith("suite: ")]
    assert len(sentences) == 1
    assert f"{folder} was deleted or moved while a search worked in it" in sentences[0]
    assert not [line for line in driver.said if "Traceback" in line]
    for name in ("run.json", "trials.parquet", JOURNAL, "report.html", LOCK):
        assert not (folder / name).exists(), name
    if what is move:
        assert len(read_run(tmp_path / "moved").trials) >= 2
