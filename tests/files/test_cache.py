"""The cache folder: where it is, and what is said where it cannot be used."""

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from suite.errors import RequestError
from suite.files.cache import cache_folder, writable_cache

Usage = namedtuple("Usage", "total used free")


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SUITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "suite"


def test_a_subfolder_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "new"))
    with writable_cache("part") as folder:
        assert folder == tmp_path / "new" / "part"
        assert folder.is_dir()


def test_a_cache_that_cannot_be_made_names_the_variable_that_moves_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(RequestError, match=r"cannot be written to .*SUITE_CACHE"), writable_cache("part"):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_an_error_of_the_disk_is_one_sentence(number: int) -> None:
    with pytest.raises(RequestError, match=os.strerror(number)), writable_cache("part"):
        raise OSError(number, os.strerror(number))


def test_too_little_space_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12, 10**6))
    with (
        pytest.raises(RequestError, match=r"1 MB free, 5 GB needed"),
        writable_cache("p", needed=5 * 10**9),
    ):
        pytest.fail("there is no space")
