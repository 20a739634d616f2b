"""The rows of a run in progress: what is on disk at which moment."""

import dataclasses
import errno
import math
import os
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.runs.info import write_info
from suite.runs.journal import JOURNAL
from suite.runs.ledger import WRITE_INTERVAL, RunLedger
from suite.runs.tables import config_of, epoch_row, read_run, write_rows
from suite.trial import EpochResult
from tests.support.sample_rows import AS_TRAINED, INFO, METRICS, epoch, result


def test_a_ledger_continues_from_what_the_folder_holds(tmp_path: Path) -> None:
    first = RunLedger(tmp_path)
    first.add_epoch("t0000", epoch(1), "age")
    first.add_trial(result("t0000"))
    second = RunLedger(tmp_path)
    second.add_epoch("t0001", epoch(1), "age")
    second.add_trial(result("t0001", "diverged"))
    second.amend("t0000", {"test_mae_years": 7.0})
    second.fold()
    trials = pd.read_parquet(tmp_path / "trials.parquet").set_index("id")
    assert trials["status"].to_dict() == {"t0000": "finished", "t0001": "diverged"}
    assert trials.loc["t0000", "test_mae_years"] == 7.0
    assert config_of(trials.loc["t0000"]) == AS_TRAINED
    assert sorted(pd.read_parquet(tmp_path / "epochs.parquet")["id"]) == ["t0000", "t0001"]


def test_epochs_of_a_trial_that_has_not_ended_are_not_written(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0009", epoch(1), "age")
    ledger.add_epoch("t0000", epoch(1), "age")
    ledger.add_trial(result("t0000"))
    assert set(pd.read_parquet(tmp_path / "epochs.parquet")["id"]) == {"t0000"}


def test_epochs_left_without_a_trial_by_a_kill_are_replaced_when_it_is_trained_again(
    tmp_path: Path,
) -> None:
    epoch = EpochResult(1, 1.0, 1.0, 1.0, 1e-3, 0.5, 10.0, METRICS)
    write_rows(tmp_path, "epochs", [epoch_row("t0000-s1", epoch, "age")])
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0000-s1", epoch, "age")
    ledger.add_trial(result("t0000-s1"))
    assert len(pd.read_parquet(tmp_path / "epochs.parquet")) == 1


def test_rows_are_selected_by_stage(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    ledger.add_trial(result("t0000"))
    ledger.add_trial(dataclasses.replace(result("t0000-s1"), stage="confirm", parent="t0000"))
    assert [row["id"] for row in ledger.rows_of("search")] == ["t0000"]
    assert [row["parent"] for row in RunLedger(tmp_path).rows_of("confirm")] == ["t0000"]


def ended_trials(folder: Path, count: int) -> RunLedger:
    """A ledger with trials of two epochs each, all of them still in the journal."""
    write_info(folder, INFO)
    ledger = RunLedger(folder)
    ledger._not_before = math.inf
    for number in range(count):
        for at in (1, 2):
            ledger.add_epoch(f"t{number:04d}", epoch(at), "age")
        ledger.add_trial(result(f"t{number:04d}"))
    return ledger


def test_rows_that_the_tables_do_not_have_yet_are_read_from_the_journal(tmp_path: Path) -> None:
    ledger = ended_trials(tmp_path, 3)
    ledger.amend("t0001", {"test_mae_years": 7.0})
    assert not (tmp_path / "trials.parquet").exists()
    before = read_run(tmp_path)
    assert before.trials["test_mae_years"].dropna().tolist() == [7.0]
    assert before.epochs.groupby("id").size().to_dict() == {f"t000{i}": 2 for i in range(3)}
    assert RunLedger(tmp_path).rows_of("search")[1]["test_mae_years"] == 7.0
    ledger.fold()
    assert not (tmp_path / JOURNAL).exists()
    after = read_run(tmp_path)
    pd.testing.assert_frame_equal(before.trials, after.trials)
    pd.testing.assert_frame_equal(before.epochs, after.epochs)


def test_rows_that_a_kill_left_in_journal_and_tables_are_read_once(tmp_path: Path) -> None:
    ledger = ended_trials(tmp_path, 2)
    journal = (tmp_path / JOURNAL).read_bytes()
    ledger.fold()
    (tmp_path / JOURNAL).write_bytes(
        journal
    )  # killed after the tables were written, before the journal was deleted
    run = read_run(tmp_path)
    assert run.trials["id"].tolist() == ["t0000", "t0001"]
    assert len(run.epochs) == 4


@settings(max_examples=30)
@given(st.floats(0, 1))
def test_wherever_the_journal_is_cut_off_complete_trials_are_read_and_the_next_are_not_lost(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    ended_trials(folder, 3)
    journal = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(journal[: round(share * len(journal))])
    run = read_run(folder)
    kept = run.trials["id"].tolist() if len(run.trials) else []
    assert kept == [f"t000{i}" for i in range(len(kept))]
    assert len(run.epochs) == 2 * len(kept)
    ledger = RunLedger(folder)
    ledger._not_before = math.inf
    ledger.add_trial(result("t0009"))
    assert read_run(folder).trials["id"].tolist() == [*kept, "t0009"]


def test_tables_are_written_once_the_last_write_is_many_times_its_duration_ago(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    began = time.monotonic()
    ledger.add_trial(result("t0000"))
    cost = time.monotonic() - began
    assert (tmp_path / "trials.parquet").exists()
    assert not (tmp_path / JOURNAL).exists()
    assert 0 < ledger._not_before - time.monotonic() < WRITE_INTERVAL * cost
    ledger.add_trial(result("t0001"))
    assert len(pd.read_parquet(tmp_path / "trials.parquet")) == 1
    ledger._not_before = time.monotonic()
    ledger.add_trial(result("t0002"))
    assert len(pd.read_parquet(tmp_path / "trials.parquet")) == 3
    assert not (tmp_path / JOURNAL).exists()


def test_an_epoch_that_is_trained_again_is_written_once(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    for at in (1, 2, 3):
        ledger.add_epoch("t0000", epoch(at), "age")
    ledger.begin_trial("t0000", [epoch(1)], "age")
    assert [row["epoch"] for row in ledger.epochs_of("t0000")] == [1]
    for at in (2, 3):
        ledger.add_epoch("t0000", epoch(at), "age")
    ledger.add_trial(result("t0000"))
    ledger.fold()
    assert pd.read_parquet(tmp_path / "epochs.parquet")["epoch"].tolist() == [1, 2, 3]


def test_a_killed_search_knows_how_long_it_had_lasted(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    assert ledger.seconds == 0
    ledger.add_trial(result("t0000"))
    assert RunLedger(tmp_path).seconds == 2.5  # its trial's end
    ledger.note_clock(40.0)
    assert RunLedger(tmp_path).seconds == 40.0
    pruned = dataclasses.replace(
        result("t0000-p1"), stage="pruned", parent="t0000", started=40.0, seconds=3600.0
    )
    ledger.add_trial(pruned)
    assert RunLedger(tmp_path).seconds == 40.0  # not part of the search


def test_tables_that_cannot_be_written_leave_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ended_trials(tmp_path, 1)

    def out_of_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", out_of_space)
        with pytest.raises(OSError, match="No space left"):
            ledger.fold()
        assert sorted(file.name for file in tmp_path.iterdir()) == [JOURNAL, "run.json"]
    assert read_run(tmp_path).trials["id"].tolist() == ["t0000"]
