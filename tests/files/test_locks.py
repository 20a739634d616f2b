"""Locks between processes."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from suite.files.locks import FileLockedError, file_lock, is_locked

HOLDER = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from suite.files.locks import file_lock\n"
    "with file_lock(Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(100)\n"
)


def test_a_held_lock_refuses_a_second_holder_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with file_lock(path), pytest.raises(FileLockedError), file_lock(path):
        pass
    with file_lock(path):
        pass
    assert path.exists()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert is_locked(path) is True
        with pytest.raises(FileLockedError), file_lock(path):
            pass
        holder.send_signal(signal.SIGKILL)
    assert is_locked(path) is False
    with file_lock(path):
        pass


def test_a_process_started_under_a_lock_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with file_lock(path):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    try:
        assert is_locked(path) is False
    finally:
        child.kill()
        child.wait()


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []

    def second() -> None:
        with file_lock(path, wait=True):
            order.append("second")

    with file_lock(path):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_lock_file_that_was_deleted_by_its_holder_can_be_made_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with file_lock(path):
        path.unlink()
    with file_lock(path):
        assert is_locked(path) is True


def test_whether_a_lock_is_held_is_answered_without_disturbing_others(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert is_locked(path) is None  # nobody has locked it yet
    assert not path.exists()
    with file_lock(path):
        assert is_locked(path) is True
    with path.open("rb") as other_query:
        fcntl.flock(other_query, fcntl.LOCK_SH | fcntl.LOCK_NB)
        assert is_locked(path) is False


def test_a_file_system_without_locks_is_tolerated_where_a_lock_is_not_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with file_lock(path, required=False) as is_held:
        path.with_name("work").write_text("done")
    assert not is_held
    assert path.with_name("work").exists()
    with pytest.raises(OSError, match="No locks"), file_lock(path):
        pass
    assert is_locked(path) is None


def test_a_lock_in_a_folder_that_does_not_exist_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), file_lock(tmp_path / "none" / "lock", required=False):
        pass
    assert not (tmp_path / "none").exists()


def test_a_pipe_in_place_of_a_lock_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")
    assert is_locked(tmp_path / "lock") is None
