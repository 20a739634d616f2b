"""Fixtures of the tests of the commands."""

from pathlib import Path

import pytest

from suite.data.store import Store
from tests.support.run_folders import SPACE


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store) -> Path:
    """The current folder: a search space, a file, an empty folder and a taken one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SPACE.format(data=store.folder))
    (tmp_path / "file.txt").write_text("not a folder\n")
    (tmp_path / "file.bin").write_text("not a folder\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine\n")
    return tmp_path
