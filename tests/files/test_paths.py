"""Paths for which ``pathlib`` raises."""

import pwd
from pathlib import Path

import pytest

from suite.files.paths import home_folder, is_there, resolved


def test_a_path_becomes_absolute_and_links_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    monkeypatch.chdir(tmp_path)
    assert resolved("link/file") == (tmp_path / "folder" / "file").resolve()


def test_what_cannot_be_followed_stays_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert resolved(tmp_path / "loop").name == "loop"
    assert resolved("a\0b") == Path("a\0b")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert resolved("run") == Path("run")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "loop", "file/below", "missing"])
def test_nothing_is_where_nothing_can_be(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    assert not is_there(tmp_path / name)
    assert is_there(tmp_path / "file")


def test_a_user_whom_the_machine_does_not_know_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert not home_folder().exists()
    assert home_folder().is_absolute()
