"""Which drivers may work in a run folder."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from suite.errors import RequestError
from suite.runs.folder import check_unused, lock_run_folder, new_run_folder
from suite.runs.layout import STUDY_JOURNAL

HOLD = """\
import sys, time
from pathlib import Path
from suite.runs.folder import lock_run_folder
with lock_run_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_with_an_active_driver_is_refused_until_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(RequestError, match="a search is at work in"), lock_run_folder(tmp_path):
                pass
        finally:
            other.kill()
    with lock_run_folder(tmp_path):
        pass


def test_temporary_files_of_a_killed_driver_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    for name in (
        ".trials.parquet.0a1b2c3d.partial",
        "weights/.t0.safetensors.0a1b2c3d.partial",
        "weights/.t0-int8.onnx.0a1b2c3d.partial.onnx",
        "weights/t0.safetensors.partial",  # of an earlier version
    ):
        (tmp_path / name).touch()
    (tmp_path / "weights" / "t0.safetensors").touch()
    (tmp_path / "run.json").touch()
    with lock_run_folder(tmp_path):
        files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {".lock", "run.json", "weights/t0.safetensors"}


def test_a_report_that_another_process_is_writing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run.json").touch()
    (tmp_path / ".report.html.0a1b2c3d.partial").touch()
    with lock_run_folder(tmp_path):
        assert (tmp_path / ".report.html.0a1b2c3d.partial").exists()


def test_without_locks_no_temporary_file_is_taken_for_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    (tmp_path / "run.json").touch()
    (tmp_path / ".trials.parquet.0a1b2c3d.partial").touch()
    with lock_run_folder(tmp_path):
        assert (tmp_path / ".trials.parquet.0a1b2c3d.partial").exists()


def test_temporary_files_in_a_folder_without_a_run_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".mine.partial").touch()
    with lock_run_folder(tmp_path):
        assert (tmp_path / ".mine.partial").exists()


def test_two_searches_do_not_use_the_same_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with new_run_folder(folder):
        with pytest.raises(RequestError, match="a search is at work in"), new_run_folder(folder):
            pass
        assert (folder / "weights").is_dir()
        (folder / "run.json").touch()
    with pytest.raises(RequestError, match="is not empty"), new_run_folder(folder):
        pass


@pytest.mark.parametrize("left", ["weights", "tune", "run.json.partial", ".run.json.0a1b2c3d.partial"])
def test_a_driver_killed_before_it_wrote_run_json_leaves_a_usable_folder(left: str, tmp_path: Path) -> None:
    (tmp_path / left).touch() if "." in left else (tmp_path / left).mkdir()
    with new_run_folder(tmp_path):
        assert (tmp_path / "weights").is_dir()


def test_a_folder_with_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "1.safetensors").touch()
    with pytest.raises(RequestError, match="is not empty"):
        check_unused(tmp_path)


def refused(folder: Path, written: str) -> None:
    """A search that writes a file and is then refused."""
    with new_run_folder(folder):
        (folder / written).touch()
        raise RequestError("no space")


@pytest.mark.parametrize("existed", [False, True])
def test_a_request_refused_before_the_first_suggestion_leaves_nothing(existed: bool, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    if existed:
        folder.mkdir()
    with pytest.raises(RequestError, match="no space"):
        refused(folder, "run.json")
    assert folder.exists() == existed
    check_unused(folder)


def test_a_search_that_is_refused_later_keeps_its_results(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RequestError, match="no space"):
        refused(folder, STUDY_JOURNAL)
    assert (folder / STUDY_JOURNAL).exists()


def test_an_os_error_of_the_search_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the disk is full"), new_run_folder(tmp_path / "run"):
        raise OSError("the disk is full")


def test_a_file_is_refused_as_a_run_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match=r"cannot be a run folder \(Not a directory\)"):
        check_unused(tmp_path / "file")
