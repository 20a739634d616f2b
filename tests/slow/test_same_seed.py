"""Two runs with the same seed, one trial at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from suite.runs.front import front_rows
from suite.runs.tables import Run, read_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Columns that say how long something took.
TIMED = ("seconds", "started", "latency_", "speedup_", "images_per_second")


def timeless(table: pd.DataFrame) -> pd.DataFrame:
    return table[[column for column in table if not column.startswith(TIMED)]]


def front(run: Run) -> list[str]:
    rows = run.trials.to_dict("records")
    return [
        str(member["id"])
        for member in front_rows(rows, run.info.objectives, run.info.error_column, run.info.most)
    ]


def test_the_same_seed_gives_the_same_trials_and_the_same_front(
    search_file: Path, drive: Callable[..., Any]
) -> None:
    def run(name: str) -> Run:
        options = ["--search", search_file.name, "--seed", "3", "--max-concurrent", "1"]
        # More trials than TPE draws at random, so that its model has its say.
        driver = drive("run", *options, "--trials", "10", "--epochs", "1", "--out", name)
        assert driver.end() == 0, driver.said
        return read_run(search_file.parent / name)

    one, other = run("one"), run("other")
    pd.testing.assert_frame_equal(timeless(one.trials), timeless(other.trials))
    pd.testing.assert_frame_equal(timeless(one.epochs), timeless(other.epochs))
    assert front(one) == front(other)
    assert one.trials["val_mae_years"].nunique() > 1
