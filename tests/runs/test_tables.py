import dataclasses
import errno
import json
import math
import os
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.errors import RequestError
from suite.runs.info import DataUsed, ReferenceNetwork, Resources, RunInfo, write_info
from suite.runs.journal import JOURNAL
from suite.runs.ledger import TIMES_BACK, RunLedger
from suite.runs.tables import config_of, epoch_row, read_run, write_rows
from suite.trial import EpochResult, Metrics, Profile, TrialConfig, TrialResult

METRICS = Metrics(mae=6.5, rmse=8.0, pearson=0.9, cs3=0.3, cs5=0.5, cs8=0.8, epsilon_error=None)
CONFIG = TrialConfig(widths=(8, 8, 8, 8, 8), depths=(1, 1, 2, 2, 2), lambda_l1=0.25)
AS_TRAINED = dataclasses.replace(CONFIG, precision="bf16")  # a row has what "auto" came to
INFO = RunInfo(
    name="tiny",
    status="running",
    command=["suite", "run"],
    search={"name": "tiny"},
    search_file="tiny.yaml",
    attribute="age",
    resolution=48,
    objectives=["val_mae", "params"],
    trials_asked=2,
    seed=0,
    max_concurrent=1,
    data=DataUsed("faces", "/data", "ab" * 32, 64, 100, 100, 20, 20, "made", "by identity", 0, 25.0),
    references=[ReferenceNetwork("VGG-16", 134_674_341, 1, 2, 3)],
    versions={"torch": "2.13.0"},
    git_revision="",
    hardware={"cpus": 2},
    started="2026-11-23T22:10:00+00:00",
)


def result(trial_id: str, status: str = "finished") -> TrialResult:
    return TrialResult(
        id=trial_id,
        stage="search",
        config=CONFIG,
        status=status,  # type: ignore[arg-type]
        cause="" if status == "finished" else "the loss became NaN",
        profile=Profile(1000, 2000, 3000, 4000),
        validation=METRICS if status == "finished" else None,
        epochs_run=1,
        seconds=2.0,
        precision="bf16",
        trials_known=0,
        started=0.5,
    )


def epoch(number: int) -> EpochResult:
    return EpochResult(number, 3.0, 2.0, 1.0, 0.001, 1.0, 100.0, METRICS)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    write_info(tmp_path, INFO)
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0000", epoch(1), "age")
    ledger.add_trial(result("t0000"))
    run = read_run(tmp_path)
    assert run.info == INFO
    row = run.trials.iloc[0]
    assert (row["id"], row["status"], row["val_mae_years"], row["params"]) == ("t0000", "finished", 6.5, 1000)
    assert run.epochs[["id", "epoch", "val_mae_years"]].to_numpy().tolist() == [["t0000", 1, 6.5]]


def test_a_row_rebuilds_its_configuration(tmp_path: Path) -> None:
    write_info(tmp_path, INFO)
    RunLedger(tmp_path).add_trial(result("t0000"))
    assert config_of(read_run(tmp_path).trials.iloc[0]) == AS_TRAINED


def test_a_ledger_goes_on_from_what_the_folder_holds(tmp_path: Path) -> None:
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


def test_epochs_of_a_trial_that_never_ended_are_not_kept(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0009", epoch(1), "age")
    ledger.add_epoch("t0000", epoch(1), "age")
    ledger.add_trial(result("t0000"))
    assert set(pd.read_parquet(tmp_path / "epochs.parquet")["id"]) == {"t0000"}


def test_epochs_that_a_kill_left_without_a_trial_are_not_counted_when_it_is_trained_again(
    tmp_path: Path,
) -> None:
    epoch = EpochResult(1, 1.0, 1.0, 1.0, 1e-3, 0.5, 10.0, METRICS)
    write_rows(tmp_path, "epochs", [epoch_row("t0000-s1", epoch, "age")])
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0000-s1", epoch, "age")
    ledger.add_trial(result("t0000-s1"))
    assert len(pd.read_parquet(tmp_path / "epochs.parquet")) == 1


def test_rows_are_told_apart_by_stage(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    ledger.add_trial(result("t0000"))
    ledger.add_trial(dataclasses.replace(result("t0000-s1"), stage="confirm", parent="t0000"))
    assert [row["id"] for row in ledger.rows_of("search")] == ["t0000"]
    assert [row["parent"] for row in RunLedger(tmp_path).rows_of("confirm")] == ["t0000"]


def ended_trials(folder: Path, count: int) -> RunLedger:
    """A ledger to which so many trials of two epochs were added; it writes tables once, for the first."""
    write_info(folder, INFO)
    ledger = RunLedger(folder)
    ledger._not_before = math.inf
    for number in range(count):
        for at in (1, 2):
            ledger.add_epoch(f"t{number:04d}", epoch(at), "age")
        ledger.add_trial(result(f"t{number:04d}"))
    return ledger


def test_what_the_tables_do_not_have_yet_is_read_all_the_same(tmp_path: Path) -> None:
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


def test_rows_that_a_kill_left_in_both_places_count_once(tmp_path: Path) -> None:
    ledger = ended_trials(tmp_path, 2)
    journal = (tmp_path / JOURNAL).read_bytes()
    ledger.fold()
    (tmp_path / JOURNAL).write_bytes(journal)  # killed between the tables and the end of the journal
    run = read_run(tmp_path)
    assert run.trials["id"].tolist() == ["t0000", "t0001"]
    assert len(run.epochs) == 4


@settings(max_examples=60)
@given(st.floats(0, 1))
def test_wherever_the_journal_is_torn_whole_trials_are_read_and_the_next_are_not_lost(
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


def test_tables_are_written_when_the_last_time_lies_many_times_its_length_back(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path)
    began = time.monotonic()
    ledger.add_trial(result("t0000"))
    cost = time.monotonic() - began
    assert (tmp_path / "trials.parquet").exists()
    assert not (tmp_path / JOURNAL).exists()
    assert 0 < ledger._not_before - time.monotonic() < TIMES_BACK * cost
    ledger.add_trial(result("t0001"))
    assert len(pd.read_parquet(tmp_path / "trials.parquet")) == 1
    ledger._not_before = time.monotonic()
    ledger.add_trial(result("t0002"))
    assert len(pd.read_parquet(tmp_path / "trials.parquet")) == 3
    assert not (tmp_path / JOURNAL).exists()


def test_an_epoch_that_is_trained_again_is_there_once(tmp_path: Path) -> None:
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
    pruned = dataclasses.replace(result("t0000-p1"), stage="pruned", started=40.0, seconds=3600.0)
    ledger.add_trial(pruned)
    assert RunLedger(tmp_path).seconds == 40.0  # no part of the search


def test_a_journal_that_cannot_be_written_says_so_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ended_trials(tmp_path, 1)

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_room)
        with pytest.raises(OSError, match="No space left"):
            ledger.fold()
        assert sorted(file.name for file in tmp_path.iterdir()) == [JOURNAL, "run.json"]
    assert read_run(tmp_path).trials["id"].tolist() == ["t0000"]


def test_a_run_that_has_only_begun_can_be_read(tmp_path: Path) -> None:
    write_info(tmp_path, INFO)
    assert read_run(tmp_path).trials.empty


def test_a_folder_that_is_no_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is no run folder"):
        read_run(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "5", '["schema_version"]'])
def test_a_run_json_that_is_no_object_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RequestError, match="is no run folder"):
        read_run(tmp_path)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    fields = dataclasses.asdict(INFO) | {"schema_version": 99}
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match="schema version 99"):
        read_run(tmp_path)


def test_a_run_folder_without_a_field_that_is_needed_is_one_sentence(tmp_path: Path) -> None:
    fields = dataclasses.asdict(INFO)
    del fields["data"]
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match=r"run\.json"):
        read_run(tmp_path)


def test_a_run_of_before_resources_were_kept_can_be_read(tmp_path: Path) -> None:
    fields = dataclasses.asdict(INFO)
    del fields["resources"]
    (tmp_path / "run.json").write_text(json.dumps(fields))
    assert read_run(tmp_path).info.resources == Resources()


def test_the_resources_asked_for_are_read_back(tmp_path: Path) -> None:
    info = dataclasses.replace(INFO, resources=Resources(0.5, 0.25, 3, "host:6379"))
    write_info(tmp_path, info)
    assert read_run(tmp_path).info == info


def test_the_keys_of_a_run_are_those_of_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
    for key in dataclasses.asdict(INFO):
        assert f"`{key}`" in text, f"docs/runs.md does not name {key} of run.json"


def test_the_columns_are_those_of_the_documentation(tmp_path: Path) -> None:
    """docs/runs.md is the contract: each column of both tables is named in it."""
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0000", epoch(1), "age")
    ledger.add_trial(result("t0000"))
    text = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
    for table in ("trials", "epochs"):
        for column in pd.read_parquet(tmp_path / f"{table}.parquet").columns:
            assert f"`{column}`" in text, f"docs/runs.md does not name {column} of {table}.parquet"
