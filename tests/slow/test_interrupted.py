"""Ctrl-C in the middle of a search, and the command that it prints."""

import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.runs.tables import read_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TRIALS = 7


def test_ctrl_c_keeps_what_had_finished_and_prints_the_command_that_goes_on(
    search_file: Path, drive: Callable[..., Any]
) -> None:
    folder = search_file.parent / "run"
    first = drive("run", "--search", search_file.name, "--out", "run")
    first.wait_for_trials(2)
    first.press_ctrl_c()
    assert first.end() == 130, first.said
    assert not [line for line in first.said if "Traceback" in line or "Error" in line]

    interrupted = read_run(folder)
    assert interrupted.info.status == "interrupted"
    assert 2 <= len(interrupted.trials) < TRIALS
    assert (interrupted.trials["status"] == "finished").all()
    assert all((folder / "weights" / f"{name}.safetensors").exists() for name in interrupted.trials["id"])
    assert (folder / "report.html").exists()
    # Two small agents of Ray's own may need a minute to notice that their node is gone.
    while [name for name in first.left_over() if not name.startswith(("ray::Dashboard", "ray::RuntimeEnv"))]:
        time.sleep(0.2)  # pytest's time limit ends it

    program, *arguments = shlex.split(first.said[-1])
    assert (program, arguments) == ("suite", ["resume", "run"])
    second = drive(*arguments)
    assert second.end() == 0, second.said
    finished = read_run(folder)
    assert finished.info.status == "finished"
    assert len(finished.trials) == TRIALS
    columns = ["id", "started", "seconds", "val_mae_years"]
    kept = finished.trials[columns].head(len(interrupted.trials))
    assert kept.to_numpy().tolist() == interrupted.trials[columns].to_numpy().tolist()
    assert finished.info.seconds > interrupted.info.seconds


def test_sigterm_ends_a_search_as_ctrl_c_does(search_file: Path, drive: Callable[..., Any]) -> None:
    driver = drive("run", "--search", search_file.name, "--out", "run")
    driver.wait_for_trials(1)
    driver.process.terminate()
    assert driver.end() == 130, driver.said
    assert driver.said[-1] == "  suite resume run"
    assert read_run(search_file.parent / "run").info.status == "interrupted"
