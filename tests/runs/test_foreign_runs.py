"""Run folders that somebody else made: every file is read by one reader, and a fault is one sentence."""

import copy
import dataclasses
import itertools
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import suite
from reports.html import page as report_page
from reports.html.page import page
from suite.cli.main import main
from suite.cli.status import describe_status
from suite.deployment.trained_trial import finished_row
from suite.errors import RequestError
from suite.runs.columns import (
    MADE_FROM_ANOTHER,
    PREDICTION_COLUMNS,
    TIMES,
    check_row,
    epoch_columns,
    trial_columns,
)
from suite.runs.info import read_info
from suite.runs.ledger import RunLedger
from suite.runs.status import status_of
from suite.runs.tables import read_predictions, read_run
from tests.support.synthetic_runs import confirmed_run, synthetic_run

MISSING = object()
VALUES: tuple[Any, ...] = (
    *(MISSING, None, True, -1, 0, 2**63, 10**400, float("nan"), float("inf"), 1e300),
    *("", "x", "\x1b[31m\n", "../../../etc", "__proto__", "\ud800", "9" * 5000, [], [1, "a"], {}, {"a": []}),
)
Path_ = tuple[str | int, ...]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a confirmed front and the predictions of one training."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    run = confirmed_run(lambda **options: synthetic_run(folder, epochs=2, **options))
    run.trials.to_parquet(folder / "trials.parquet", index=False)
    (folder / "predictions").mkdir()
    predictions().to_parquet(folder / "predictions" / "t001-s1.parquet", index=False)
    return folder


def predictions() -> pd.DataFrame:
    values = np.arange(8, dtype=np.float32)
    people = [f"p{n}" for n in range(8)]
    splits = ["val"] * 4 + ["test"] * 4
    ends = {"deviation": values, "interval_low": values - 1, "interval_high": values + 1}
    return pd.DataFrame(
        {"split": splits, "image": range(8), "label": values, "estimate": values, **ends, "person": people}
    )


@pytest.fixture
def run_folder(made: Path, tmp_path: Path) -> Path:
    """A copy of the run, by links, which a test replaces and does not write through."""
    folder = tmp_path / "run"
    for file in made.rglob("*"):
        if file.is_file():
            target = folder / file.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    return folder


def use(folder: Path, *, whole_page: bool = False) -> bool:
    """Whether the run is read; then everything that a reader is shown must come out of it."""
    try:
        run = read_run(folder)
    except RequestError as refused:
        return bool(len(str(refused)) > 700)  # a sentence, not the file
    status = status_of(folder)
    assert describe_status(status)
    json.dumps(dataclasses.asdict(status))
    suite.front(run)
    with pytest.raises(RequestError):
        finished_row(run, "none")
    if whole_page:
        assert page(run)
    return True


def paths_in(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        yield (*path, key)
        yield from paths_in(inner, (*path, key))


def replaced(document: Any, path: Path_, value: Any) -> str:
    changed = copy.deepcopy(document)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if value is MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return json.dumps(changed)


def mutate_info(folder: Path, count: int | None, *, whole_page: bool = False) -> tuple[int, int]:
    """Read the run with mutated fields of ``run.json``; returns how many there were, and how many were read."""
    document = json.loads((folder / "run.json").read_text())
    mutations = list(itertools.product(paths_in(document), VALUES))
    chosen = mutations if count is None else random.Random(0).sample(mutations, count)
    read = 0
    for path, value in chosen:
        (folder / "run.json").write_text(replaced(document, path, value))
        read += use(folder, whole_page=whole_page)
    return len(chosen), read


def test_a_changed_field_of_run_json_is_refused_or_harmless(run_folder: Path) -> None:
    made, read = mutate_info(run_folder, 40)
    assert 0 < read < made


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_field_of_run_json_is_refused_or_harmless(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_page, "framed_page", lambda *parts: json.dumps(parts[3], allow_nan=False))
    made, read = mutate_info(run_folder, None, whole_page=True)
    assert made > 1500
    assert 0 < read < made


TABLES = ("trials.parquet", "epochs.parquet", "predictions/t001-s1.parquet")


def mutate_table(
    folder: Path, name: str, read_it: Callable[[], object], count: int | None
) -> tuple[int, int]:
    frame = pd.read_parquet(folder / name)
    mutations = list(itertools.product(frame.columns, (*VALUES, b"x"), (True, False)))
    chosen = mutations if count is None else random.Random(0).sample(mutations, count)
    read = written = 0
    for column, value, everywhere in chosen:
        cells = [value if everywhere or row == 1 else cell for row, cell in enumerate(frame[column])]
        changed = (
            frame.drop(columns=column)
            if value is MISSING
            else frame.assign(**{column: pd.Series(cells, dtype=object)})
        )
        try:
            changed.to_parquet(folder / name, index=False)
        except Exception:  # no Parquet file can hold this column
            continue
        written += 1
        try:
            read_it()
            read += 1
        except RequestError as refused:
            read += name not in str(refused)
    return written, read


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_column_is_refused_or_harmless(name: str, run_folder: Path) -> None:
    def read_it() -> None:
        if name.startswith("predictions"):
            read_predictions(run_folder, "t001-s1")
        elif not use(run_folder):
            read_run(run_folder)

    written, read = mutate_table(run_folder, name, read_it, 24 if name.startswith("predictions") else 16)
    assert 0 < read < written


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_refused_or_harmless(
    name: str, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_page, "framed_page", lambda *parts: json.dumps(parts[3], allow_nan=False))
    written, read = mutate_table(run_folder, name, lambda: page(read_run(run_folder)), None)
    assert 0 < read < written


def test_the_checked_columns_are_those_that_are_written(run_folder: Path) -> None:
    run = read_run(run_folder)
    timed = {name for name in run.trials if name.startswith(("latency_ms_per_image", "speedup_vs_vgg16"))}
    assert set(run.trials) <= trial_columns().keys() | timed
    assert set(run.epochs) <= epoch_columns().keys()
    assert set(predictions()) == PREDICTION_COLUMNS.keys()


def without_optional_columns(trials: pd.DataFrame) -> pd.DataFrame:
    needed = {name for name, column in trial_columns().items() if column.required}
    return trials[[name for name in trials if name in needed | {"val_mae_years", "test_mae_years", "parent"}]]


def test_columns_that_a_run_is_older_than_have_their_defaults(run_folder: Path) -> None:
    whole = read_run(run_folder).trials
    old = without_optional_columns(whole).query("stage == 'search'").drop(columns="parent")
    old.to_parquet(run_folder / "trials.parquet", index=False)
    assert use(run_folder, whole_page=True)
    read = read_run(run_folder).trials
    assert set(read) >= set(whole)
    assert read["flip"].all()
    assert read[["parent", "backbone", *TIMES]].isna().all(axis=None)
    assert RunLedger(run_folder).rows[0].keys() == set(read)
    assert RunLedger(run_folder).rows[0]["test_rmse_years"] is None


@pytest.mark.parametrize("how", ["no column", "an empty cell"])
@pytest.mark.parametrize("stage", MADE_FROM_ANOTHER)
def test_a_trial_made_from_another_must_name_it(run_folder: Path, stage: str, how: str) -> None:
    trials = read_run(run_folder).trials.query("stage == 'search'").assign(stage=stage)
    trials = trials.drop(columns="parent") if how == "no column" else trials.assign(parent=None)
    trials.to_parquet(run_folder / "trials.parquet", index=False)
    with pytest.raises(RequestError, match=f"stage {stage} has no parent"):
        read_run(run_folder)


def test_a_journal_cannot_take_the_parent_away(run_folder: Path) -> None:
    made = read_run(run_folder).trials.query("stage == 'confirm'")["id"].iloc[0]
    (run_folder / "rows.journal").write_text(json.dumps(["amend", {"id": made, "parent": None}]) + "\n")
    for read in (read_run, RunLedger):
        with pytest.raises(RequestError, match="stage confirm has no parent"):
            read(run_folder)


FILES = ("run.json", "trials.parquet", "epochs.parquet", "rows.journal", "predictions/t001-s1.parquet")


def spoil(path: Path, how: str) -> None:
    whole = path.read_bytes() if path.exists() else b'["trials", {"id": "t0"}]\n'
    path.unlink(missing_ok=True)
    if how == "a pipe":
        os.mkfifo(path)
    elif how == "a folder":
        path.mkdir()
    elif how == "closed to this user":
        path.write_bytes(whole)
        path.chmod(0)
    elif how == "cut off":
        path.write_bytes(whole[: len(whole) // 2] + b"\n")
    elif how == "zeros":
        path.write_bytes(bytes(len(whole) - 1) + b"\n")
    else:
        path.write_bytes(b'{"a": ' * 100_000 + b"\n")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("how", ["a pipe", "a folder", "closed to this user", "cut off", "zeros", "nested"])
@pytest.mark.parametrize("name", FILES)
def test_a_spoilt_file_is_one_sentence(
    name: str, how: str, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if how == "closed to this user" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    spoil(run_folder / name, how)
    if name.startswith("predictions"):
        with pytest.raises(RequestError, match="t001-s1"):
            page(read_run(run_folder))
        return
    for command in ("status", "resume"):
        assert main([command, str(run_folder)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert name in error
    with pytest.raises(RequestError, match=name):
        suite.read_run(run_folder)


def test_every_command_that_reads_a_run_refuses_a_damaged_one(
    run_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spoil(run_folder / "trials.parquet", "cut off")
    run = str(run_folder)
    for words in (
        ["status", run],
        ["report", run],
        ["report", run, run],
        ["resume", run],
        ["export", run, "--trial", "t000", "-o", str(tmp_path / "x.safetensors")],
        ["compress", run, "--trial", "t000", "--keep", "0.5"],
        ["run", "--search", "compress", "--parent", f"{run}:t000", "--out", str(tmp_path / "new")],
    ):
        assert main(words) == 2, words
        assert "trials.parquet cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../t0", "/etc/x", "..", "a/b", "", "t\x00", "a b", "-o", "x" * 300])
def test_an_id_is_never_a_path(name: str, run_folder: Path) -> None:
    frame = read_run(run_folder).trials
    frame.assign(id=[name, *frame["id"][1:]]).to_parquet(run_folder / "trials.parquet", index=False)
    with pytest.raises(RequestError, match=r"column 'id' holds"):
        read_run(run_folder)


def test_a_trial_that_descends_from_itself_does_not_hang(run_folder: Path) -> None:
    frame = read_run(run_folder).trials
    first, second = frame["id"][:2]
    frame.loc[0, "parent"], frame.loc[1, "parent"] = second, first
    frame.to_parquet(run_folder / "trials.parquet", index=False)
    with pytest.raises(RequestError, match="descends from itself"):
        read_run(run_folder)


def test_two_rows_of_one_id_are_refused(run_folder: Path) -> None:
    frame = read_run(run_folder).trials
    pd.concat([frame, frame.head(1)]).to_parquet(run_folder / "trials.parquet", index=False)
    with pytest.raises(RequestError, match="is there twice"):
        read_run(run_folder)


@pytest.mark.parametrize(
    "line",
    [
        "7",
        "[]",
        '["trials", 3]',
        '["other", {"id": "t0"}]',
        '["trials", {}]',
        '["trials", {"id": "t0"}]',
        '["epochs", {"id": "t0", "epoch": "1"}]',
        '["epochs", {"id": "t0", "epoch": 1e400}]',
        '["amend", {"id": "../t0"}]',
        '["amend", {"id": "t000", "val_mae_years": "x"}]',
        '["amend", {"id": "t000", "new": 3}]',
        '["clock", {}]',
        '["clock", {"seconds": "NaN"}]',
        '["clock", {"seconds": NaN}]',
    ],
)
def test_a_line_of_the_journal_that_is_no_row_is_refused(line: str, run_folder: Path) -> None:
    (run_folder / "rows.journal").write_text(line + "\n")
    for read in (read_run, RunLedger):
        with pytest.raises(RequestError, match=r"rows\.journal cannot be used"):
            read(run_folder)


def test_a_row_of_a_finished_trial_may_have_an_infinite_error_but_no_infinite_time() -> None:
    row = {"id": "t0", "val_rmse_years": float("inf")}
    check_row(row, trial_columns(), part=True)
    with pytest.raises(Exception, match="seconds"):
        check_row({"id": "t0", "seconds": float("inf")}, trial_columns(), part=True)


def test_a_run_of_a_later_version_with_more_fields_is_read(run_folder: Path) -> None:
    document = json.loads((run_folder / "run.json").read_text())
    (run_folder / "run.json").write_text(json.dumps({**document, "new": {"a": 1}}))
    frame = read_run(run_folder).trials
    frame.assign(new=1.5).to_parquet(run_folder / "trials.parquet", index=False)
    assert read_info(run_folder).name == document["name"]
    assert "new" in read_run(run_folder).trials


def test_a_setting_and_an_error_may_be_as_large_as_a_search_makes_them(run_folder: Path) -> None:
    frame = read_run(run_folder).trials
    frame.loc[0, ["learning_rate", "val_mae_years", "val_rmse_years"]] = [1e30, 1e300, float("inf")]
    frame.to_parquet(run_folder / "trials.parquet", index=False)
    assert use(run_folder, whole_page=True)
