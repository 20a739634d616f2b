"""Trials whose worker processes are killed, on a real Ray cluster in this process."""

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ray import cloudpickle

from search_spaces import SearchSpace, load_dict
from suite.data.store import Store
from suite.errors import RequestError
from suite.runs.info import Resources
from suite.runs.ledger import RunLedger
from suite.runs.tables import Run, read_run
from suite.search.engine import Search, run_search
from suite.search.tune import trainer
from suite.search.tune.actor import TrialActor
from suite.training.fit import Fit
from tests.search.test_engine import Recorder
from tests.search.tune.test_actor import EachTime

EPOCHS = 4


class Mortal(TrialActor):
    """Saves every epoch. Trial t0000 dies after its second, once; t0001 as soon as it is to train."""

    def step(self) -> dict[str, Any]:
        if self._request.id == "t0001":
            os.kill(os.getpid(), signal.SIGKILL)
        self._checkpoint_timer = EachTime()
        died = Path(self._request.files.run_folder) / "died"
        if self._request.id == "t0000" and len(self._epochs) == 2 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step()

    def _resume(self, training: Fit) -> None:
        super()._resume(training)
        with (Path(self._request.files.run_folder) / "begun.txt").open("a") as begun:
            begun.write(f"{self._request.id} {len(self._epochs)}\n")


def space(store: Store) -> SearchSpace:
    return load_dict(
        {
            "name": "mortal",
            "data": str(store.folder),
            "objectives": ["val_mae", "params"],
            "trials": 3,
            "confirm_seeds": 1,
            "sampler": "random",
            "base": {"epochs": EPOCHS, "resolution": 32, "batch_size": 32, "depths": [1] * 5},
            "vary": {"widths": {"choices": [[2] * 5, [4] * 5]}},
            "latency": {"resolution": 32, "batch_size": 1, "rounds": 2},
        }
    )


@pytest.fixture(scope="module")
def searched(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("mortal") / "run"
    search = Search(space(store), store, folder, Resources(max_concurrent=1), Recorder())
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a worker cannot import this file
    with patch.object(trainer, "TrialActor", Mortal):
        run_search(search, "mortal.yaml", [])
    return read_run(folder)


@pytest.mark.slow
def test_another_process_goes_on_where_the_last_checkpoint_is(searched: Run) -> None:
    rows = searched.trials.set_index("id")
    assert rows.loc["t0000", "status"] == "finished"
    begun = (searched.folder / "begun.txt").read_text().splitlines()
    assert [line for line in begun if "t0000" in line] == ["t0000 0", "t0000 2"]
    epochs = searched.epochs[searched.epochs["id"] == "t0000"]["epoch"].tolist()
    assert epochs == list(range(1, EPOCHS + 1))


@pytest.mark.slow
def test_a_trial_whose_processes_die_again_and_again_fails_with_its_cause(searched: Run) -> None:
    row = searched.trials.set_index("id").loc["t0001"]
    assert row["status"] == "failed"
    assert row["cause"].startswith("its worker process was lost 4 times (killed, perhaps by the system")
    assert row["epochs_run"] == 0


@pytest.mark.slow
def test_no_checkpoint_is_left(searched: Run) -> None:
    assert not list((searched.folder / "checkpoints").iterdir())


@pytest.mark.slow
def test_a_trial_that_went_on_is_the_one_that_was_not_cut(
    searched: Run, store: Store, tmp_path: Path
) -> None:
    """The same search without deaths comes to the same error, bit for bit."""
    whole = Search(space(store), store, tmp_path / "run", Resources(max_concurrent=1), Recorder())
    run_search(whole, "mortal.yaml", [])
    rows = [run.trials.set_index("id").loc["t0000"] for run in (read_run(whole.folder), searched)]
    assert rows[0]["val_mae_years"] == rows[1]["val_mae_years"]


@pytest.mark.slow
def test_a_disk_without_room_ends_the_search_and_no_trial_is_trained_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray Tune takes an exception of a searcher for a fault of the trial, which it would give to another."""

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RunLedger, "add_trial", no_room)
    folder = tmp_path / "run"
    search = Search(space(store), store, folder, Resources(max_concurrent=1), Recorder())
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with patch.object(trainer, "TrialActor", Mortal), pytest.raises(RequestError, match="No space left"):
        run_search(search, "mortal.yaml", [])
    assert (folder / "begun.txt").read_text().splitlines() == ["t0000 0", "t0000 2"]
    assert len(read_run(folder).trials) == 0
