"""``suite report --follow``: the report is written again as the rows of a running search come."""

import dataclasses
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.cli import report as report_commands
from suite.cli.main import main
from suite.runs.info import write_info
from suite.runs.tables import Run, write_rows

MakeRun = Callable[..., Run]


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the report was not written again"
        time.sleep(0.05)


def rows_in(report: Path) -> int:
    """How many trials the table of a report has; 0 while there is none."""
    if not report.exists():
        return 0
    return len(
        re.findall(r'<tr(?: class=front)?><th scope="row" class=text>', report.read_text(encoding="utf-8"))
    )


def test_the_report_grows_with_its_run_and_ends_with_it(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(trials=6, status="running", ended="")
    rows, report = run.trials.to_dict("records"), run.folder / "report.html"
    write_rows(run.folder, "trials", rows[:2])
    seen: list[bool] = []

    def search() -> None:
        for done in (2, 4, 6):
            write_rows(run.folder, "trials", rows[:done])
            wait_until(lambda done=done: rows_in(report) == done)  # type: ignore[misc]
            seen.append('id="follow"' in report.read_text(encoding="utf-8"))
        write_info(run.folder, dataclasses.replace(run.info, status="finished"))

    searching = threading.Thread(target=search)
    searching.start()
    assert main(["report", str(run.folder), "--follow", "0.1"]) == 0
    searching.join()
    assert seen == [True, True, True]  # the page takes the new one while the run goes on
    assert 'id="follow"' not in report.read_text(encoding="utf-8")
    told = [line for line in capsys.readouterr().out.splitlines() if " trials, " in line]
    assert told == ["2 trials, running", "4 trials, running", "6 trials, running", "6 trials, finished"]


def test_ctrl_c_leaves_the_report_as_it_was_last_written(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(trials=3, status="running", ended="")

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(report_commands.time, "sleep", interrupt)
    assert main(["report", str(run.folder), "--follow"]) == 130
    assert rows_in(run.folder / "report.html") == 3
    assert "the search goes on" in capsys.readouterr().out


def test_only_one_run_is_followed(make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(make_run(trials=1).folder)
    assert main(["report", folder, folder, "--follow"]) == 2
    assert "--follow goes with one run" in capsys.readouterr().err
