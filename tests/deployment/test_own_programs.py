"""A ``.pt2`` file runs code when it is opened, so that only what this user exported here is opened unasked."""

from pathlib import Path

import pytest

import suite
from suite.cli.main import main
from suite.data.dataset import Dataset
from suite.deployment import own_programs
from suite.deployment.export import export
from suite.deployment.inference import open_model
from suite.deployment.own_programs import is_own, records_folder, remember_program
from suite.errors import RequestError
from tests.support.trained_runs import inference_module_of

REFUSED = "is not a program that you exported on this machine"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own, in a process that has exported nothing."""
    monkeypatch.setenv("SUITE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(own_programs, "_exported_here", set())
    return tmp_path / "state"


def forget_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_programs, "_exported_here", set())


def test_an_export_is_opened_by_later_processes_wherever_it_was_moved(
    state: Path,
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, config = inference_module_of()
    written = export(module, config, dataset.splits["val"], tmp_path / "net.pt2").path
    forget_this_process(monkeypatch)
    moved = written.rename(tmp_path / "moved.pt2")
    assert open_model(moved).config.widths == config.widths
    # Somebody else's, here: the same file without the record.
    (records_folder() / next(records_folder().iterdir()).name).unlink()
    with pytest.raises(RequestError, match=REFUSED):
        open_model(moved)
    with pytest.raises(RequestError, match=REFUSED):
        suite.predict(moved, tmp_path)
    assert main(["predict", str(moved), str(tmp_path)]) == 2
    assert "--trust-code" in capsys.readouterr().err
    assert suite.open_model(moved, trust_code=True).config.widths == config.widths
    assert main(["predict", "--trust-code", str(moved), str(tmp_path)]) == 1  # opened; there are no images


def test_a_changed_export_is_not_the_users_own(state: Path) -> None:
    remember_program(b"a program")
    assert is_own(b"a program")
    assert not is_own(b"another program")


def test_nothing_of_a_foreign_program_is_parsed(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    (tmp_path / "evil.pt2").write_bytes(b"PK")
    monkeypatch.setattr(torch.export, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(RequestError, match=REFUSED):
        open_model(tmp_path / "evil.pt2")


def test_a_foreign_program_is_refused_without_being_held_in_memory(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large.pt2").write_bytes(b"PK")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read as a whole"))
    with pytest.raises(RequestError, match=REFUSED):
        open_model(tmp_path / "large.pt2")


@pytest.mark.parametrize("why", ["others may write", "a link", "a file"])
def test_a_folder_that_others_could_have_filled_is_not_believed(
    why: str, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_program(b"a program")
    forget_this_process(monkeypatch)
    assert is_own(b"a program")
    if why == "others may write":
        records_folder().chmod(0o777)
    else:
        records = records_folder().rename(tmp_path / "elsewhere")
        if why == "a link":
            records_folder().symlink_to(records)
        else:
            records_folder().touch()
    assert not is_own(b"a program")


def test_the_records_are_the_users_alone(state: Path) -> None:
    remember_program(b"a program")
    assert records_folder().stat().st_mode & 0o777 == 0o700


def test_without_a_folder_to_write_to_an_export_is_verified_and_says_what_follows(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SUITE_STATE", str(tmp_path / "file" / "state"))
    path = tmp_path / "net.pt2"
    assert main(["export", str(run), "--trial", "t0000", "-o", str(path)]) == 0
    told = capsys.readouterr()
    assert "as PyTorch on 40 validation images" in told.out
    assert "cannot keep the record that you exported" in told.err
    assert told.err.count("\n") == 1
