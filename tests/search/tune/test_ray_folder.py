"""The folder of a one-machine cluster."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.errors import RequestError
from suite.files.locks import file_lock
from suite.search.tune import ray_folder as module
from suite.search.tune.ray_folder import ADDED_BY_RAY, LOCK, LONGEST_SOCKET, PREFIX, ray_folder


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder for temporary files."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def test_it_is_closed_to_others_and_removed(base: Path) -> None:
    with ray_folder() as folder:
        folder.mkdir(mode=0o777)
        assert folder.parent.parent == base
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert list(base.iterdir()) == []


def test_it_is_removed_after_a_failure(base: Path) -> None:
    with pytest.raises(KeyboardInterrupt), ray_folder():
        raise KeyboardInterrupt
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("length", [30, 60, 200])
def test_a_long_tmpdir_gives_way_to_a_short_folder(
    length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * length)
    long.mkdir()
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(long))
    with ray_folder() as folder:
        assert len(str(folder)) + ADDED_BY_RAY <= LONGEST_SOCKET
    assert list(long.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_gives_way_to_another(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (base / "file").write_text("")
    monkeypatch.setenv("RAY_TMPDIR", str(base / "file"))
    monkeypatch.setenv("TMPDIR", str(base))
    with ray_folder() as folder:
        assert folder.parent.parent == base


def test_where_there_is_no_place_the_sentence_says_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_bases", lambda: ["/nonexistent", "/x" * 50])
    with (
        pytest.raises(
            RequestError, match=r"/nonexistent \(No such file.*longer than \d+ characters.*RAY_TMPDIR"
        ),
        ray_folder(),
    ):
        pass


def old(folder: Path) -> Path:
    hour_ago = time.time() - 3600
    os.utime(folder, (hour_ago, hour_ago))
    return folder


def test_what_a_killed_driver_left_is_removed_and_nothing_else(base: Path) -> None:
    killed = base / f"{PREFIX}killed"
    script = "import sys, os, fcntl; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); os._exit(0)"
    killed.mkdir()
    subprocess.run([sys.executable, "-c", script, str(killed / LOCK)], check=True)
    alive, unlocked, other = base / f"{PREFIX}alive", base / f"{PREFIX}new", base / "other"
    for folder in (alive, unlocked, other):
        folder.mkdir()
    (other / LOCK).write_text("")
    (base / f"{PREFIX}link").symlink_to(other)
    with file_lock(alive / LOCK):
        for folder in (killed, alive, unlocked, other):
            old(folder)
        with ray_folder():
            assert not killed.exists()
            assert alive.exists()
            assert unlocked.exists()
            assert (other / LOCK).exists()
