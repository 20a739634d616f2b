"""The commands that a report shows, taken from the page as a reader would and carried out."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suite.data.store import Store
from suite.runs.tables import config_of, read_run
from tests.support.drivers import SPACE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def carry_out(command: str, folder: Path) -> None:
    """A line that begins with ``suite``, as a shell would split it."""
    words = shlex.split(command)
    assert words[0] == "suite"
    ended = subprocess.run(
        [sys.executable, "-m", "suite.cli", *words[1:]], cwd=folder, capture_output=True, text=True
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"


def test_the_shown_commands_repeat_a_training_and_export_a_network(
    browser: "Browser", store: Store, tmp_path: Path
) -> None:
    (tmp_path / "small.yaml").write_text(
        SPACE.format(data=store.folder).replace("trials: 7", "trials: 3"), encoding="utf-8"
    )
    carry_out("suite run --search small.yaml --out first --max-concurrent 1", tmp_path)
    first = read_run(tmp_path / "first")
    row = first.trials.set_index("id", drop=False).sort_values("val_mae_years").iloc[0]

    page = browser.new_page()
    page.goto((tmp_path / "first" / "report.html").as_uri() + f"#trial={row['id']}")
    repeat = page.inner_text("pre[aria-label='the command that repeats this training']")
    export = page.inner_text("#network-body pre[aria-label='the command that exports this network']")
    shipped = page.inner_text("#export pre")
    page.close()

    carry_out(repeat, tmp_path)
    (again,) = (tmp_path / "runs").iterdir()
    ((_, repeated),) = read_run(again).trials.iterrows()
    assert config_of(repeated) == config_of(row)
    assert repeated["val_mae_years"] == pytest.approx(row["val_mae_years"], rel=1e-4)

    assert shipped == export  # without limits, the network to ship is the one of lowest error
    carry_out(export, tmp_path)
    assert (tmp_path / f"{row['id']}.onnx").stat().st_size > 1000
