"""A real Ray cluster in this process: a search that stops trials early, and its resumption."""

import os
import signal
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from reports.html.page import page
from search_spaces import SearchSpace, load_dict
from suite.data.store import Store
from suite.runs.front import front_rows
from suite.runs.info import Resources
from suite.runs.tables import Run, read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, resume_search, run_search
from suite.trial import TrialResult

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 8, 3


class Recorder:
    """A watcher that remembers the last progress."""

    def __init__(self) -> None:
        self.last: SearchProgress | None = None

    def stage(self, sentence: str) -> None:
        pass

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        self.last = progress

    def advance(self, done: int, of: int) -> None:
        pass

    def close(self) -> None:
        pass


class InterruptsAfter(Recorder):
    """Presses Ctrl-C when so many trials have ended."""

    def __init__(self, trials: int) -> None:
        super().__init__()
        self._left = trials

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        super().change(progress, ended)
        self._left -= ended is not None
        if ended is not None and self._left == 0:
            os.kill(os.getpid(), signal.SIGINT)


def space(store: Store, rule: str, **changes: Any) -> SearchSpace:
    """Widths fall from trial to trial, and every second one hardly learns."""
    fields = {
        "name": "stopping",
        "data": str(store.folder),
        "objectives": ["val_mae", "params"],
        "trials": TRIALS,
        "confirm_seeds": 1,
        "sampler": "random",
        "base": {"epochs": EPOCHS, "resolution": 32, "batch_size": 32, "depths": [1] * 5},
        "vary": {
            "widths": {"choices": [[width] * 5 for width in range(2, 2 + TRIALS)]},
            "learning_rate": {"choices": [0.003, 1e-9]},
        },
        "first": [
            {"widths": [1 + TRIALS - i] * 5, "learning_rate": 1e-9 if i % 2 else 0.003} for i in range(TRIALS)
        ],
        "stopping": {"rule": rule, "reduction_factor": 2, "grace_epochs": 1},
        "latency": {"resolution": 64, "batch_size": 1, "rounds": 2},
    }
    return load_dict({**fields, **changes})


def trials_of_study(run: Run) -> dict[str, optuna.trial.FrozenTrial]:
    backend = optuna.storages.journal.JournalFileBackend(str(run.folder / "study.journal"))
    study = optuna.load_study(study_name="stopping", storage=optuna.storages.JournalStorage(backend))
    return {f"t{trial.number:04d}": trial for trial in study.get_trials()}


def check_whole(run: Run) -> None:
    """Study, table and epochs tell the same of every trial."""
    states = {"finished": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
    study = trials_of_study(run)
    rows = {row["id"]: row for row in run.trials.to_dict("records")}
    assert all(study[name].state == states[row["status"]] for name, row in rows.items())
    assert {name for name, trial in study.items() if trial.state != TrialState.FAIL} == set(rows)
    for name, row in rows.items():
        if row["status"] == "finished":
            assert study[name].values == [row["val_mae_years"], row["params"]]
    counted = run.epochs.groupby("id")["epoch"].max().to_dict()
    assert counted == {name: row["epochs_run"] for name, row in rows.items()}
    weights = {path.stem for path in (run.folder / "weights").glob("*.safetensors")}
    assert weights == {name for name, row in rows.items() if row["status"] == "finished"}


@pytest.fixture(scope="module")
def by_front(store: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Recorder]:
    # Widths rise instead: a larger network that hardly learns is dominated.
    folder, recorder = tmp_path_factory.mktemp("runs") / "front", Recorder()
    rising = space(
        store,
        "front",
        first=[{"widths": [2 + i] * 5, "learning_rate": 1e-9 if i % 2 else 0.003} for i in range(TRIALS)],
    )
    resources = Resources(cpus_per_trial=0.5, max_concurrent=1)
    run_search(Search(rising, store, folder, resources, recorder), "s.yaml", [])
    return read_run(folder), recorder


def test_trials_that_others_dominate_at_a_rung_are_stopped(by_front: tuple[Run, Recorder]) -> None:
    run, _ = by_front
    stopped = run.trials[run.trials["status"] == "stopped"]
    assert len(stopped) >= 3
    assert run.trials["status"].isin(["finished", "stopped"]).all()
    assert (stopped["epochs_run"] < EPOCHS).all()
    assert stopped["cause"].str.contains(r"^\d+\w\w of \d+ by front rank at epoch [12], where ").all()
    assert stopped["val_mae_years"].notna().all()


def test_study_table_epochs_and_weights_agree(by_front: tuple[Run, Recorder]) -> None:
    check_whole(by_front[0])


def test_a_stopped_trial_is_never_on_the_front_nor_judged(by_front: tuple[Run, Recorder]) -> None:
    run, _ = by_front
    stopped = run.trials["status"] == "stopped"
    assert run.trials.loc[stopped, ["test_mae_years", "latency_ms_per_image"]].isna().all(axis=None)
    members = front_rows(run.trials.to_dict("records"), run.info.objectives, "val_mae_years")
    assert {member["status"] for member in members} == {"finished"}


def test_stopped_trials_are_counted_apart_from_failures(by_front: tuple[Run, Recorder]) -> None:
    run, recorder = by_front
    assert recorder.last is not None
    assert recorder.last.stopped == (run.trials["status"] == "stopped").sum()
    assert recorder.last.lost == 0


def test_the_report_says_how_many_were_stopped_and_why(by_front: tuple[Run, Recorder]) -> None:
    run, _ = by_front
    text = page(run)
    stopped = run.trials[run.trials["status"] == "stopped"]
    assert f"{len(stopped)} stopped early" in text
    assert all(cause in text for cause in stopped["cause"])


def test_after_an_interruption_the_rungs_know_what_they_knew(store: Store, tmp_path: Path) -> None:
    """One trial at a time, all points given: the resumed search comes to what an uninterrupted one does."""
    resources = Resources(cpus_per_trial=0.5, max_concurrent=1)
    falling = space(store, "error")
    whole = Search(falling, store, tmp_path / "whole", resources, Recorder())
    assert run_search(whole, "s.yaml", []).status == "finished"
    cut = Search(falling, store, tmp_path / "cut", resources, InterruptsAfter(5))
    assert run_search(cut, "s.yaml", []).status == "interrupted"
    assert len(read_run(cut.folder).trials) < TRIALS
    assert resume_search(cut.folder, {}, Recorder()).status == "finished"
    check_whole(read_run(cut.folder))

    def ends(folder: Path) -> list[list[Any]]:
        trials = read_run(folder).trials
        return trials[["params", "status", "cause", "epochs_run", "val_mae_years"]].to_numpy().tolist()

    assert ends(cut.folder) == ends(whole.folder)
    causes = read_run(whole.folder).trials["cause"]
    assert causes.str.contains(r"of [6-9] by validation error at epoch 1").any()
