"""A file that cannot be written is found out before any work is done for it."""

import errno
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


@pytest.mark.parametrize("name", ["store.json", "images.npy", "labels.parquet", "new.csv"])
def test_no_output_gets_into_packed_data(name: str, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in store.folder.iterdir())
    assert main(["data", "check", str(store.folder), "--list", str(store.folder / name)]) == 2
    assert main(["data", "show", str(store.folder), "-o", str(store.folder / name)]) == 2
    assert "its folder holds packed data" in capsys.readouterr().err
    assert sorted((path.name, path.stat().st_mtime_ns) for path in store.folder.iterdir()) == before


@pytest.mark.parametrize("name", ["run.json", "trials.parquet", "study.journal"])
def test_no_output_takes_the_place_of_a_file_of_a_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(RequestError, match="it is a file of a run"):
        check_writable(tmp_path / name)
    check_writable(tmp_path / "report.html")


@pytest.mark.parametrize("target", ["table.csv", "nowhere", "/dev/null", "/proc/self/fd/1"])
def test_an_output_does_not_take_the_place_of_a_link(target: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").touch()
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(RequestError, match=r"it is a link; name what it leads to|no regular file"):
        check_writable(tmp_path / "link")


def test_what_was_found_is_told_before_a_list_that_cannot_be_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("suite.data.checking.fingerprint", lambda *_: "another")
    monkeypatch.setattr("suite.files.outputs.write_atomically", full)
    assert main(["data", "check", str(store.folder), "--list", str(tmp_path / "copies.csv")]) == 2
    told = capsys.readouterr().err
    assert "The fingerprint of images and labels is another" in told
    assert "cannot be written (No space left on device)" in told
