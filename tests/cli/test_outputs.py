"""A file that cannot be written is found out before any work is done for it."""

import os
from pathlib import Path

import pytest

from suite.cli.main import main
from suite.data.store import Store
from suite.errors import RequestError
from suite.files.outputs import check_writable
from tests.support.run_folders import write_run


@pytest.fixture
def _no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work that a command does before it writes."""
    for name in (
        "suite.api.load_store",
        "suite.training.pretraining.pretrain",
        "suite.runs.storage.location.read_run_at",
        "suite.cluster.remote_run.remote_run",
    ):
        monkeypatch.setattr(name, lambda *_, **__: pytest.fail("it worked before it looked at the output"))


@pytest.mark.usefixtures("_no_work")
@pytest.mark.parametrize(
    "command",
    [
        "pretrain --data faces -o {}.safetensors",
        "report run -o {}",
        "report run other -o {}",
        "report run --follow -o {}",
        "data show faces -o {}",
        "manifest slurm -o {} -- run --search tiny --out /shared/a",
        "manifest kuberay --image i -o {} -- run --search tiny --out s3://b/k",
    ],
)
def test_an_output_is_checked_before_the_work(
    command: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.rglob("*"))
    assert main([word.format("file.txt/x") for word in command.split()]) == 2
    assert "cannot be written (Not a directory)" in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


@pytest.mark.usefixtures("_no_work")
def test_the_description_beside_a_backbone_is_checked_as_well(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "b.json").mkdir()
    assert main(["pretrain", "--data", "faces", "-o", "b.safetensors"]) == 2
    assert "b.json cannot be written (Is a directory)" in capsys.readouterr().err


def test_a_run_folder_that_cannot_hold_its_report_is_found_before_the_page_is_made(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    (here / "run" / "report.html").mkdir()
    monkeypatch.setattr("reports.html.page.page", lambda *_: pytest.fail("the page was made"))
    assert main(["report", "run"]) == 2
    assert "report.html cannot be written (Is a directory)" in capsys.readouterr().err


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RequestError, match="it is no regular file"):
        check_writable(tmp_path / "pipe")
