"""``suite resume``, and what a session of a search prints in the end."""

import errno
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import suite.search.engine
from suite.cli.main import main
from suite.data.store import Store
from suite.runs.info import RunInfo, read_info, write_info
from suite.runs.ledger import RunLedger
from suite.trial import TrialConfig
from tests.support.run_folders import write_run
from tests.support.runs import trial_result


def resumed(monkeypatch: pytest.MonkeyPatch, folder: Path, info: RunInfo) -> int:
    """The exit code of ``suite resume`` for a search that comes to this end."""
    monkeypatch.setattr(suite.search.engine, "resume_search", lambda *_, **__: info)
    return main(["resume", str(folder)])


def test_a_search_that_ended_says_where_its_report_is(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)
    assert resumed(monkeypatch, Path("run"), info) == 0
    assert capsys.readouterr().out == "2 trials in 1 min 15 s. Report: run/report.html\n"
    assert "<html" in (here / "run" / "report.html").read_text(encoding="utf-8")


def test_trainings_that_confirm_are_counted_apart(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)
    ledger = RunLedger(here / "run")
    again = trial_result(
        "t0000-s1", "failed", stage="confirm", config=TrialConfig(seed=1), profile=None, parent="t0000"
    )
    ledger.add_trial(again)
    assert resumed(monkeypatch, Path("run"), info) == 0
    assert "2 trials and 1 confirming training in 1 min 15 s." in capsys.readouterr().out


def test_an_interrupted_search_prints_the_command_that_goes_on(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder, run="interrupted")
    assert resumed(monkeypatch, Path("run"), info) == 130
    assert capsys.readouterr().out.splitlines()[-1] == "  suite resume run"
    assert (here / "run" / "report.html").exists()


def test_the_printed_command_can_be_pasted_whatever_the_folder_is_called(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "a run's", store.folder, run="interrupted")
    assert resumed(monkeypatch, Path("a run's"), info) == 130
    assert shlex.split(capsys.readouterr().out.splitlines()[-1]) == ["suite", "resume", "a run's"]


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ("", {}),
        ("--cpus-per-trial 0.5 --gpus-per-trial 0", {"cpus_per_trial": 0.5, "gpus_per_trial": 0.0}),
        ("--max-concurrent 2 --address local", {"max_concurrent": 2, "address": "local"}),
    ],
)
def test_only_the_resources_that_are_named_change_when_a_run_is_resumed(
    options: str, changes: dict[str, object], here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = write_run(here / "run", store.folder)
    requests: list[tuple[Path, object]] = []

    def note(folder: Path, changes: object, watcher: object, confirmation: object, **_: object) -> RunInfo:
        requests.append((folder, changes))
        assert confirmation == {}
        return info

    monkeypatch.setattr(suite.search.engine, "resume_search", note)
    assert main(["resume", "run", *options.split()]) == 0
    assert requests == [(here / "run", changes)]


@pytest.mark.parametrize(
    ("options", "confirmation"),
    [
        ("--confirm-seeds 5", {"confirm_seeds": 5}),
        ("--confirm-seeds 3 --confirm-epochs 24", {"confirm_seeds": 3, "confirm_epochs": 24}),
        (
            "--confirm-epochs 4x --confirm-neighbours 0",
            {"confirm_epochs": "4x", "confirm_neighbours": 0},
        ),
    ],
)
def test_a_run_may_be_resumed_with_another_confirmation(
    options: str,
    confirmation: dict[str, object],
    here: Path,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info, requests = write_run(here / "run", store.folder), []

    def note(*arguments: object, **_: object) -> RunInfo:
        requests.append(arguments[-1])
        return info

    monkeypatch.setattr(suite.search.engine, "resume_search", note)
    assert main(["resume", "run", *options.split()]) == 0
    assert requests == [confirmation]


def test_a_report_without_room_is_one_sentence(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("reports.html.page.write_report", no_room)
    assert resumed(monkeypatch, Path("run"), info) == 2
    assert capsys.readouterr().err == (
        "suite: run/report.html cannot be written (No space left on device); all else is kept: free some "
        "space, then run 'suite report run'\n"
    )


def test_a_search_without_a_finished_trial_has_failed(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder, trial="diverged")
    assert resumed(monkeypatch, Path("run"), info) == 1
    assert capsys.readouterr().err == "suite: no trial finished; run/report.html says why\n"


def test_a_run_whose_data_is_gone_is_not_resumed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(here / "run", here / "gone", run="interrupted")
    assert main(["resume", "run"]) == 2
    assert "gone; if it was moved, name its folder with --data" in capsys.readouterr().err


def test_data_that_was_moved_is_found_where_the_user_says_it_is(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", here / "gone", run="interrupted")
    write_info(here / "run", replace(info, data=replace(info.data, fingerprint=store.info.fingerprint)))
    shutil.copytree(store.folder, here / "moved here")
    monkeypatch.setattr(suite.search.engine, "run_stages", lambda *_: None)
    monkeypatch.setattr(suite.search.engine, "_check_study", lambda *_, **__: None)
    assert main(["resume", "run", "--data", "nosuch"]) == 2
    assert "nosuch holds no packed data" in capsys.readouterr().err
    assert main(["resume", "run", "--data", "moved here"]) == 0
    assert read_info(here / "run").data.folder == str(here / "moved here")


def test_other_data_than_that_of_the_run_is_refused(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", here / "gone", run="interrupted")
    assert main(["resume", "run", "--data", str(store.folder)]) == 2
    assert "is not what" in capsys.readouterr().err


def test_what_was_compressed_is_not_a_trial_of_the_search(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)
    RunLedger(here / "run").add_trial(trial_result("t0000-p1", stage="pruned", parent="t0000"))
    assert resumed(monkeypatch, here / "run", info) == 0
    assert capsys.readouterr().out.startswith("2 trials in ")
