"""The tables of a run folder."""

from pathlib import Path

import pandas as pd

from suite.runs.info import write_info
from suite.runs.ledger import RunLedger
from suite.runs.tables import config_of, read_run
from tests.support.sample_rows import AS_TRAINED, INFO, epoch, result


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


def test_the_columns_of_the_tables_are_documented(tmp_path: Path) -> None:
    """docs/runs.md is the contract: each column of both tables is named in it."""
    ledger = RunLedger(tmp_path)
    ledger.add_epoch("t0000", epoch(1), "age")
    ledger.add_trial(result("t0000"))
    text = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
    for table in ("trials", "epochs"):
        for column in pd.read_parquet(tmp_path / f"{table}.parquet").columns:
            assert f"`{column}`" in text, f"docs/runs.md does not name {column} of {table}.parquet"
