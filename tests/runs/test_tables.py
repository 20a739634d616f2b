"""The tables of a run folder."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from search_spaces.trial_fields import LIMITS
from suite.errors import RequestError
from suite.runs.columns import trial_columns
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


def test_an_empty_cell_is_the_default_and_a_whole_number_stays_one() -> None:
    """A column that some rows lack holds floats, and an empty cell where a row lacks it."""
    row = {
        **AS_TRAINED.to_json(),
        "epochs": 7.0,
        "train_images": 500.0,
        "flip": math.nan,
        "shift_pixels": math.nan,
    }
    expected = dataclasses.replace(AS_TRAINED, epochs=7, train_images=500, flip=True, shift_pixels=2)
    config = config_of(row)
    assert config == expected
    assert (type(config.epochs), type(config.train_images)) == (int, int)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("widths", np.array([10**9] * 5)),
        ("depths", "11111"),
        ("pooling", "<b>"),
        ("epochs", 1.5),
        ("label_high", math.inf),
        ("seed", b"\xff"),
        ("teacher", pd.Timestamp(0)),
        ("keep", np.array([0.5, math.nan])),
    ],
)
def test_a_cell_that_no_trial_has_is_one_sentence(column: str, cell: object) -> None:
    row = {"id": "t0000", **AS_TRAINED.to_json(), column: cell}
    with pytest.raises(
        RequestError, match=r"the row 't0000' of trials\.parquet describes no trial"
    ) as caught:
        config_of(row)
    assert "\n" not in str(caught.value)


def test_a_row_of_every_value_that_a_search_space_allows_can_be_read() -> None:
    for name, field in LIMITS.items():
        column = trial_columns()[name]
        if column.kind in ("text", "flag"):
            continue
        for limit in field.metadata:
            assert getattr(limit, "ge", column.low) >= column.low, name
            assert getattr(limit, "le", column.high) <= column.high, name
