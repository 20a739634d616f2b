import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from suite.errors import RequestError
from suite.runs import (
    DataUsed,
    ReferenceNetwork,
    Resources,
    RunInfo,
    RunLedger,
    config_of,
    epoch_row,
    read_run,
    write_info,
    write_rows,
)
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
    text = (Path(__file__).parent.parent / "docs" / "runs.md").read_text(encoding="utf-8")
    for key in dataclasses.asdict(INFO):
        assert f"`{key}`" in text, f"docs/runs.md does not name {key} of run.json"


def test_the_columns_are_those_of_the_documentation(tmp_path: Path) -> None:
    """docs/runs.md is the contract: each column of both tables is named in it."""
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0000", epoch(1), "age")
    ledger.add_trial(result("t0000"))
    text = (Path(__file__).parent.parent / "docs" / "runs.md").read_text(encoding="utf-8")
    for table in ("trials", "epochs"):
        for column in pd.read_parquet(tmp_path / f"{table}.parquet").columns:
            assert f"`{column}`" in text, f"docs/runs.md does not name {column} of {table}.parquet"
