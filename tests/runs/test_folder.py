"""Who may work in a run folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from suite.errors import RequestError
from suite.runs.folder import check_free, locked, new_folder
from suite.runs.layout import STUDY_JOURNAL

HOLD = """\
import sys, time
from pathlib import Path
from suite.runs.folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_in_which_another_process_works_is_refused_until_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(RequestError, match="a search is at work in"), locked(tmp_path):
                pass
        finally:
            other.kill()
    with locked(tmp_path):
        pass


def test_two_searches_do_not_make_the_same_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with new_folder(folder):
        with pytest.raises(RequestError, match="a search is at work in"), new_folder(folder):
            pass
        assert (folder / "weights").is_dir()
        (folder / "run.json").touch()
    with pytest.raises(RequestError, match="is not empty"), new_folder(folder):
        pass


@pytest.mark.parametrize("left", ["weights", "tune", "run.json.partial"])
def test_a_driver_killed_before_it_wrote_what_it_searches_leaves_the_folder_free(
    left: str, tmp_path: Path
) -> None:
    (tmp_path / left).touch() if "." in left else (tmp_path / left).mkdir()
    with new_folder(tmp_path):
        assert (tmp_path / "weights").is_dir()


def test_a_room_that_holds_something_is_not_free(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "1.safetensors").touch()
    with pytest.raises(RequestError, match="is not empty"):
        check_free(tmp_path)


def refused(folder: Path, written: str) -> None:
    """A search that writes a file and is then refused."""
    with new_folder(folder):
        (folder / written).touch()
        raise RequestError("no room")


@pytest.mark.parametrize("was_there", [False, True])
def test_a_request_refused_before_the_first_suggestion_leaves_nothing(
    was_there: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    if was_there:
        folder.mkdir()
    with pytest.raises(RequestError, match="no room"):
        refused(folder, "run.json")
    assert folder.exists() == was_there
    check_free(folder)


def test_what_a_search_did_before_it_was_refused_stays(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RequestError, match="no room"):
        refused(folder, STUDY_JOURNAL)
    assert (folder / STUDY_JOURNAL).exists()


def test_a_search_that_breaks_is_not_taken_for_a_wrong_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the disk is full"), new_folder(tmp_path / "run"):
        raise OSError("the disk is full")


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match=r"cannot be a run folder \(Not a directory\)"):
        check_free(tmp_path / "file")
