"""Paths that no file can have, on every command line that follows one: one sentence, and exit code 2."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from suite.cli.main import main

#: The commands, with ``PATH`` for the path; ``OUT`` is a file that can be written.
COMMANDS: Sequence[Sequence[str]] = (
    ("status", "PATH"),
    ("report", "PATH"),
    ("resume", "PATH"),
    ("export", "PATH", "--trial", "t0000", "-o", "OUT"),
    ("compress", "PATH", "--trial", "t0000", "--keep", "0.5"),
    ("data", "check", "PATH"),
    ("data", "pack", "utkface", "PATH", "-o", "OUT"),
    ("data", "pack", "utkface", "FOLDER", "-o", "PATH"),
    ("run", "--search", "PATH"),
    ("run", "--search", "tiny", "--data", "PATH"),
    ("run", "--search", "compress", "--parent", "PATH:t0000"),
    ("pretrain", "--data", "PATH", "-o", "OUT"),
    ("predict", "PATH", "OUT"),
)


def refusal_of(command: Sequence[str], path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    words = {"OUT": str(folder / "out.safetensors"), "FOLDER": str(folder)}
    words = {**words, "PATH": str(path), "PATH:t0000": f"{path}:t0000"}
    assert main([words.get(word, word) for word in command]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", ["loop", "loop/below", "x" * 300])
def test_a_loop_of_links_and_a_name_that_is_too_long_are_refused(
    command: Sequence[str], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert refusal_of(command, tmp_path / name, tmp_path, capsys).count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_current_folder_that_was_deleted_is_no_traceback(
    command: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert refusal_of(command, Path("relative"), tmp_path, capsys).startswith("suite: ")


def test_a_home_that_the_machine_does_not_know_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SUITE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.setattr("suite.files.paths.NO_HOME", str(tmp_path / "file" / "home"))
    (tmp_path / "file").touch()
    assert main(["data", "check", "faces"]) == 2
    assert "set SUITE_CACHE" in capsys.readouterr().err
