"""``kill -9`` of the driver in the middle of a search, and ``suite resume``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from suite.runs.tables import Run, read_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TRIALS, EPOCHS = 7, 6
#: Columns that are filled in when the whole search is over.
JUDGED = ("test_", "latency_", "speedup_")


class Killed:
    """A run whose driver was killed after two trials, before and after it was resumed."""

    def __init__(self, search_file: Path, drive: Callable[..., Any]) -> None:
        self.folder = search_file.parent / "run"
        two_at_once = ("--cpus-per-trial", "0.5", "--max-concurrent", "2")
        first = drive("run", "--search", search_file.name, "--out", "run", *two_at_once)
        first.wait_for_trials(2)
        first.kill()
        self.before = read_run(self.folder)
        self.weights_before = self.written_weights(self.before)
        self.studied_before = study_trials(self.folder)
        second = drive("resume", "run")
        assert second.end() == 0, second.said
        self.said_when_resumed: list[str] = second.said
        self.after = read_run(self.folder)

    def written_weights(self, run: Run) -> dict[str, int]:
        """When the weights of each finished trial were written, in nanoseconds."""
        weights = self.folder / "weights"
        return {name: (weights / f"{name}.safetensors").stat().st_mtime_ns for name in run.trials["id"]}


def study_trials(folder: Path) -> list[FrozenTrial]:
    backend = JournalFileBackend(str(folder / "study.journal"))
    return optuna.load_study(study_name="small", storage=JournalStorage(backend)).get_trials()


def without_judgement(trials: pd.DataFrame) -> pd.DataFrame:
    return trials[[column for column in trials if not column.startswith(JUDGED)]]


def test_a_killed_search_goes_on_where_it_was(search_file: Path, drive: Callable[..., Any]) -> None:
    killed = Killed(search_file, drive)
    before, after = killed.before, killed.after

    # The kill fell into the middle: some trials had ended and others were under way.
    states = {trial.state for trial in killed.studied_before}
    assert 2 <= len(before.trials) < TRIALS
    assert TrialState.RUNNING in states
    assert before.info.status == "running"

    # It ends with what was asked for, and with a report.
    assert after.info.status == "finished"
    assert len(after.trials) == TRIALS
    assert (after.trials["status"] == "finished").all()
    assert (killed.folder / "report.html").exists()

    # Nothing that had finished was trained again.
    kept = after.trials[after.trials["id"].isin(before.trials["id"])]
    pd.testing.assert_frame_equal(
        without_judgement(kept).reset_index(drop=True), without_judgement(before.trials)
    )
    weights_after = killed.written_weights(after)
    assert {name: weights_after[name] for name in killed.weights_before} == killed.weights_before
    assert set(after.epochs.groupby("id").size()) == {EPOCHS}
    trained = {line.split()[0] for line in killed.said_when_resumed if " done, " in line}
    assert trained == set(after.trials["id"]) - set(before.trials["id"])

    # The study and the table agree, and each trial that was under way went on under its own name.
    studied = study_trials(killed.folder)
    complete = {f"t{t.number:04d}": t.values for t in studied if t.state == TrialState.COMPLETE}
    table = after.trials.set_index("id")[["val_mae_years", "params", "macs"]]
    assert complete == {name: list(map(float, row)) for name, row in table.iterrows()}
    assert len(studied) == TRIALS
    suggested = {t.number: t.params for t in studied}
    # Not all of a suggestion is in the journal where the kill fell into its making.
    assert all(suggested[t.number].items() >= t.params.items() for t in killed.studied_before)
    assert not list((killed.folder / "checkpoints").glob("*"))

    # Trials that had not begun started later, in the time of the whole search.
    begun = {f"t{trial.number:04d}" for trial in killed.studied_before}
    new = after.trials[~after.trials["id"].isin(begun)]
    assert new["started"].min() >= (before.trials["started"] + before.trials["seconds"]).max()
    assert after.info.seconds >= (after.trials["started"] + after.trials["seconds"]).max()


def test_a_search_killed_in_its_confirmation_trains_no_member_twice(
    search_file: Path, drive: Callable[..., Any]
) -> None:
    folder, trials, seeds = search_file.parent / "run", 3, 4
    two_at_once = ("--cpus-per-trial", "0.5", "--max-concurrent", "2")
    asked = ("--trials", str(trials), "--epochs", "2", "--confirm-seeds", str(seeds))
    asked += ("--confirm-epochs", "1x", "--confirm-neighbours", "0")
    first = drive("run", "--search", search_file.name, "--out", "run", *asked, *two_at_once)
    first.wait_for_trials(trials + 1)
    first.kill()
    before = read_run(folder)
    assert before.info.status == "running"
    assert trials < len(before.trials) < trials + seeds
    assert before.trials["test_mae_years"].isna().all()

    second = drive("resume", "run")
    assert second.end() == 0, second.said
    after = read_run(folder)
    assert after.info.status == "finished"
    trained = {line.split()[0] for line in second.said if " done, " in line}
    assert trained == set(after.trials["id"]) - set(before.trials["id"])
    assert all("confirming: " in line for line in second.said if " done, " in line)
    kept = before.trials.merge(after.trials, on="id", suffixes=("_then", "_now"))
    assert list(kept["started_then"]) == list(kept["started_now"])
    assert len(kept) == len(before.trials)

    again = after.trials[after.trials["stage"] == "confirm"]
    assert set(again.groupby("parent").size()) == {seeds}
    assert set(again["seed"]) == {1, 2, 3, 4}
    assert again["test_mae_years"].notna().all()
    assert set(after.epochs.groupby("id").size()) == {2}
    assert len(study_trials(folder)) == trials
