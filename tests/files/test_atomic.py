"""Files and folders that appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.files.atomic import (
    atomic_path,
    is_temporary,
    move_into_place,
    temporary_folder_beside,
    write_atomically,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [False, True])
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000))
def test_what_is_written_is_read_back_and_nothing_else_is_left(
    content: bytes, durable: bool, tmp_path: Path
) -> None:
    write_atomically(tmp_path / "a.json", content, durable=durable)
    assert (tmp_path / "a.json").read_bytes() == content
    assert names(tmp_path) == ["a.json"]


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.txt", "39,5 \N{GREEK SMALL LETTER MU}s\n")
    assert (tmp_path / "a.txt").read_bytes() == b"39,5 \xce\xbcs\n"


def test_a_failure_between_write_and_rename_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def write_and_fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_process_killed_before_the_rename_leaves_the_old_file_and_a_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from suite.files.atomic import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('new')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    (left,) = (file for file in tmp_path.iterdir() if file != path)
    assert is_temporary(left)
    assert not is_temporary(path)


def test_two_writers_at_once_both_finish_and_the_last_rename_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with atomic_path(path) as first, atomic_path(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # its context ends last
    assert names(tmp_path) == ["a.json"]


def test_a_reader_never_meets_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    texts = [letter * 100_000 for letter in "ab"]
    write_atomically(path, texts[0])

    def write() -> None:
        for turn in range(30):
            write_atomically(path, texts[turn % 2])

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_text() in texts
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_file_and_frees_the_space(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def out_of_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os if step == "fsync" else Path, step, out_of_space)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, "new", durable=True)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_durable_write_syncs_the_file_and_then_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    )
    write_atomically(tmp_path / "a.json", "new", durable=True)
    assert [is_temporary(Path(path)) for path in synced] == [True, False]
    assert synced[1] == str(tmp_path)
    write_atomically(tmp_path / "a.json", "newer")
    assert len(synced) == 2


def test_a_file_system_that_cannot_sync_a_folder_is_tolerated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def no_folders(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", no_folders)
    write_atomically(tmp_path / "a.json", "new", durable=True)
    assert (tmp_path / "a.json").read_text() == "new"


def test_a_read_only_file_system_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as mounted:
        mounted.setattr(Path, "write_bytes", read_only)
        with pytest.raises(OSError, match="Read-only"):
            write_atomically(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_a_read_only_folder_is_an_os_error(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            write_atomically(path, "new")
    finally:
        tmp_path.chmod(0o700)
    assert path.read_text() == "old"


def test_a_folder_that_does_not_exist_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "a.json", "new")


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_atomically(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_temporary_name_keeps_the_suffix_that_a_writer_goes_by(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "m.onnx", suffix=".onnx") as temporary:
        assert temporary.suffix == ".onnx"
        assert is_temporary(temporary)
        temporary.write_text("graph")
    assert names(tmp_path) == ["m.onnx"]


@pytest.mark.parametrize("name", ["run.json.partial", "t9999.pt.17.partial", ".run.json.0a1b2c3d.partial"])
def test_temporary_names_are_recognised(name: str) -> None:
    assert is_temporary(Path(name))


@pytest.mark.parametrize("name", ["run.json", "partial.json", "a.partially.json", ".lock"])
def test_other_names_are_not_taken_for_temporary(name: str) -> None:
    assert not is_temporary(Path(name))


def test_a_temporary_folder_is_deleted_unless_it_was_moved(tmp_path: Path) -> None:
    with temporary_folder_beside(tmp_path / "made" / "store") as folder:
        (folder / "a").write_text("")
    assert names(tmp_path / "made") == []
    with temporary_folder_beside(tmp_path / "made" / "store") as folder:
        (folder / "a").write_text("")
        move_into_place(folder, tmp_path / "made" / "store")
    assert names(tmp_path / "made") == ["store"]
    assert names(tmp_path / "made" / "store") == ["a"]


def test_a_temporary_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError), temporary_folder_beside(tmp_path / "file" / "store"):
        pass


def test_a_folder_in_place_is_replaced(tmp_path: Path) -> None:
    for name, content in (("store", "old"), ("new", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(content)
    move_into_place(tmp_path / "new", tmp_path / "store")
    assert (tmp_path / "store" / "a").read_text() == "new"
    assert names(tmp_path) == ["store"]


def test_a_folder_in_place_is_put_back_if_the_new_one_cannot_be_moved(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with pytest.raises(FileNotFoundError):
        move_into_place(tmp_path / "missing", tmp_path / "store")
    assert names(tmp_path) == ["store"]
