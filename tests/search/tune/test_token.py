"""Whether Ray is told to show its token."""

import os
import sys
from pathlib import Path

import pytest

from suite.errors import RequestError
from suite.search.tune.token import check_token, token_mode, unusable_token


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home folder without a token, in a process that has not imported Ray."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "")  # so that it is put back
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    return tmp_path


def mode() -> str | None:
    return {**os.environ, **token_mode()}.get("RAY_AUTH_MODE")


def test_where_there_is_none_nothing_is_said(home: Path) -> None:
    assert mode() is None


@pytest.mark.parametrize("where", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"])
def test_a_token_of_the_environment_is_shown(home: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(where, "ab")
    assert mode() == "token"


def test_a_token_of_the_home_folder_is_shown(home: Path) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("ab")
    assert mode() == "token"


def test_a_mode_that_was_chosen_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "ab")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert mode() == "disabled"


def test_after_ray_was_imported_it_is_too_late(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "ab")
    monkeypatch.setitem(sys.modules, "ray", object())
    assert mode() is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "does not exist"), ("", "is empty"), ("x" * 20_000, "cannot be read"), ("ab\n", "")],
)
def test_a_token_file_that_cannot_be_used_is_named(
    content: str | None, reason: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "token"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    assert reason in unusable_token()
    if reason:
        with pytest.raises(RequestError, match=f"RAY_AUTH_TOKEN_PATH names {path}, which {reason}"):
            check_token()
    else:
        check_token()
    monkeypatch.setenv("RAY_AUTH_TOKEN", "ab")
    check_token()
