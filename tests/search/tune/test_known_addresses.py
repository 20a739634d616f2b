"""Which address of a run's file is connected to without asking."""

from pathlib import Path

import pytest

from suite.errors import RequestError
from suite.files.state import state_folder
from suite.search.tune.known_addresses import FILE, check_address, remember_address

HERE = Path("runs/a b")


@pytest.fixture(autouse=True)
def _nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.mark.parametrize("address", [None, "local", "auto"])
def test_what_names_no_other_machine_needs_no_word(address: str | None) -> None:
    check_address(address, HERE)


@pytest.mark.parametrize("address", ["evil.example:6379", "ray://evil.example:10001", "10.0.0.1:6379", ""])
def test_an_address_that_only_a_file_names_is_refused(address: str) -> None:
    with pytest.raises(RequestError, match=r"if you trust it, add --address .*, else --address local"):
        check_address(address, HERE)


def test_an_address_that_was_used_is_known_from_then_on() -> None:
    remember_address("head:6379")
    remember_address("other:6379")
    remember_address("head:6379")
    check_address("head:6379", HERE)
    check_address("other:6379", HERE)
    assert (state_folder() / FILE).read_text() == "head:6379\nother:6379\n"
    with pytest.raises(RequestError):
        check_address("head:637", HERE)


def test_the_address_of_the_environment_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    check_address("head:6379", HERE)


def test_a_folder_that_cannot_be_written_to_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SUITE_STATE", str(tmp_path / "file" / "state"))
    remember_address("head:6379")
    with pytest.raises(RequestError):
        check_address("head:6379", HERE)


def test_a_list_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    remember_address("head:6379")
    (tmp_path / "state").chmod(0o777)
    with pytest.raises(RequestError):
        check_address("head:6379", HERE)
