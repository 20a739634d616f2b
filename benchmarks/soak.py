"""Fifty kills at random moments, of the driver, of workers and of nodes; then every epoch is accounted for.

Searches run on a local cluster of several raylets: a head without cores, and nodes with one core each. At random
moments, SIGKILL ends the driver, a trial's worker or a node's raylet. A killed driver is started again as by
``suite resume``, and a killed node is replaced. Trials really train small networks. They log every epoch, every
checkpoint, and every start or continuation. At the end, the log, the tables, the study and the run folder are
compared.

    python benchmarks/soak.py [--kills 50] [--trials 12] [--seed 0] [--json FILE]
"""

import argparse
import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import optuna
import pandas as pd
import psutil
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray.cluster_utils import Cluster

from search_spaces import load_dict
from suite.cli.progress import LineView
from suite.data.store import LabelRange, Store, StoreInfo, fingerprint, open_store, write_info
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.search.engine import Search, resume_search, run_search
from suite.search.study.repeats import is_repeat
from suite.search.tune import trainer
from suite.search.tune.actor import TrialActor
from suite.search.tune.worker_loss import RETRIES
from suite.training.checkpoints import CheckpointTimer
from suite.training.fit import Fit

EPOCHS = 8
#: The probability of each kind of kill.
KINDS = {"worker": 0.5, "driver": 0.3, "node": 0.2}
STATES = {"finished": "COMPLETE", "failed": "FAIL", "diverged": "FAIL", "stopped": "PRUNED"}


class LoggingTimer(CheckpointTimer):
    """A timer that calls ``log`` after each epoch, before it may save."""

    def __init__(self, log: Callable[[], None]) -> None:
        super().__init__()
        self._log = log

    def save_if_due(self, save: Callable[[], None]) -> None:
        """Log, then save if it is due."""
        self._log()
        super().save_if_due(save)


class LoggedTrial(TrialActor):
    """A trial that writes a log beside the run folder."""

    def setup(self, config: dict[str, Any]) -> None:
        """Start the actor with a timer that logs."""
        super().setup(config)
        self._checkpoint_timer = LoggingTimer(lambda: self._log("trained", len(self._epochs)))

    def _resume(self, training: Fit) -> None:
        super()._resume(training)
        self._log("from", len(self._epochs))

    def _save_checkpoint(self, training: Fit) -> None:
        super()._save_checkpoint(training)
        self._log("saved", len(self._epochs))

    def _train_epoch(self, training: Fit) -> Any:
        report = super()._train_epoch(training)
        if report.ended:  # the last epoch saves only its weights
            self._log("trained", len(self._epochs))
        return report

    def _log(self, what: str, epoch: int) -> None:
        line = f"{what} {self._request.id} {epoch} {os.getpid()}\n".encode()
        log = os.open(f"{self._request.files.run_folder}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, line)
        os.close(log)


@dataclass
class Count:
    """The findings for one search."""

    trials: int
    statuses: dict[str, int]
    epochs: int  # distinct, of all trials
    trained: int  # epochs trained, repetitions included
    begun: int  # starts and continuations of trials
    resumed: int  # of these, from a checkpoint
    wrong: list[str] = field(default_factory=list)  # sentences; must stay empty


def counted(folder: Path, trials: int, seeds: int) -> Count:
    """Compare the log of a finished search with its tables, its study and its run folder."""
    run = read_run(folder)
    rows = {str(row["id"]): row for row in run.trials.to_dict("records")}
    epochs = run.epochs.groupby("id")["epoch"].apply(list).to_dict()
    log = read_log(Path(f"{folder}.log"))
    wrong = [f"{len(run.trials)} rows of {len(rows)} trials"] if len(rows) != len(run.trials) else []
    wrong += [
        *_wrong_stages(rows, trials, seeds),
        *_wrong_study(folder, rows),
        *_wrong_rows(folder, rows, epochs),
    ]
    wrong += log.wrong
    unlogged = [f"{i} epoch {e}" for i, numbers in epochs.items() for e in numbers if not log.trained[i, e]]
    wrong += [f"not in the log: {unlogged}"] if unlogged else []
    return Count(
        trials=len(rows),
        statuses=dict(collections.Counter(str(row["status"]) for row in rows.values())),
        epochs=len(log.trained),
        trained=log.trained.total(),
        begun=log.begun,
        resumed=log.resumed,
        wrong=wrong,
    )


def _wrong_stages(rows: dict[str, Any], trials: int, seeds: int) -> list[str]:
    stages_of = collections.Counter(row["stage"] for row in rows.values())
    parents = collections.Counter(row["parent"] for row in rows.values() if row["stage"] == "confirm")
    wrong = (
        [] if stages_of["search"] == trials else [f"{stages_of['search']} trials, {trials} were asked for"]
    )
    return wrong + [f"{i} was confirmed {n} times, not {seeds}" for i, n in parents.items() if n != seeds]


def _wrong_study(folder: Path, rows: dict[str, Any]) -> list[str]:
    """Differences between the study and the rows of the search in states, values or parameters."""
    storage = JournalStorage(JournalFileBackend(str(folder / "study.journal")))
    study = optuna.load_study(study_name="soak", storage=storage)
    searched = {i: row for i, row in rows.items() if row["stage"] == "search"}
    trials = [trial for trial in study.trials if not is_repeat(trial)]  # a repeat has no row
    states = {f"t{trial.number:04d}": trial.state.name for trial in trials}
    if states != {i: STATES[row["status"]] for i, row in searched.items()}:
        return [f"the study has {states}"]
    wrong = []
    for trial in trials:
        row = searched[f"t{trial.number:04d}"]
        if trial.values is not None and trial.values != [row["val_mae_years"], row["params"]]:
            wrong.append(f"{row['id']} has other values in the study")
        if list(row["widths"]) != [trial.params[f"widths[{stage}]"] for stage in range(5)]:
            wrong.append(f"{row['id']} has other parameters in the study")
    return wrong


def _wrong_rows(folder: Path, rows: dict[str, Any], epochs: dict[str, list[int]]) -> list[str]:
    wrong = []
    for i, row in rows.items():
        if epochs.get(i, []) != list(range(1, int(row["epochs_run"]) + 1)):
            wrong.append(f"{i} has epochs {epochs.get(i)} and epochs_run {row['epochs_run']}")
        if row["status"] == "finished" and not (folder / "weights" / f"{i}.safetensors").exists():
            wrong.append(f"{i} finished without weights")
        if row["status"] == "failed" and f"was lost {RETRIES + 1} times" not in row["cause"]:
            wrong.append(f"{i} failed: {row['cause']}")
    left = [file.name for file in (folder / "checkpoints").glob("*")]
    return wrong + ([f"checkpoints are left: {left}"] if left else [])


@dataclass
class Log:
    """The log of the trials of a search."""

    trained: collections.Counter[tuple[str, int]] = field(default_factory=collections.Counter)
    begun: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)


def read_log(path: Path) -> Log:
    """Count the lines, and find epochs that were trained although a checkpoint already had them."""
    log, saved = Log(), collections.Counter[str]()
    for line in path.read_text().splitlines():
        what, i, number, pid = line.split()
        epoch = int(number)
        if what == "from":
            log.begun, log.resumed = log.begun + 1, log.resumed + (epoch > 0)
            if epoch < saved[i]:
                log.wrong.append(f"process {pid} began {i} after epoch {epoch}, {saved[i]} were saved")
        elif what == "saved":
            saved[i] = max(saved[i], epoch)
        else:
            log.trained[i, epoch] += 1
            if epoch <= saved[i]:
                log.wrong.append(f"process {pid} trained epoch {epoch} of {i}, which was saved")
    return log


class Searching:
    """Runs one search after another, each in a driver process, until all kills are done."""

    def __init__(self, folder: Path, store: Path, address: str, trials: int) -> None:
        self.folders: list[Path] = []
        self._folder, self._store, self._address, self._trials = folder, store, address, trials
        self._driver: subprocess.Popen[bytes] | None = None

    def has_ended(self) -> bool:
        """Whether the last search has ended normally."""
        return self._driver is not None and self._driver.poll() == 0

    def go_on(self) -> None:
        """Make sure that a driver is running, on the interrupted search or on a new one."""
        if self._driver is not None and self._driver.poll() is None:
            return
        if self._driver is None or self._driver.returncode == 0:
            self.folders.append(self._folder / f"run{len(self.folders)}")
        elif self._driver.returncode != -signal.SIGKILL:
            raise RuntimeError(f"the driver ended with {self._driver.returncode}")
        drive = ["--drive", str(self.folders[-1]), str(self._store), self._address, str(self._trials)]
        with Path(f"{self.folders[-1]}.out").open("ab") as out:
            self._driver = subprocess.Popen([sys.executable, __file__, *drive], stdout=out, stderr=out)

    def kill_driver(self) -> bool:
        """Kill the driver by SIGKILL; False where none is running."""
        if self._driver is None or self._driver.poll() is not None:
            return False
        self._driver.kill()
        self._driver.wait()
        return True

    def wait(self) -> None:
        """Wait until the last search has ended."""
        while not self.has_ended():
            self.go_on()
            time.sleep(0.5)


def kill_worker(nodes: list[Any], rng: random.Random) -> bool:
    """Kill a process that trains on these nodes by SIGKILL; False where there is none.

    Only children of these raylets are considered, because another search on this machine has workers of the same
    name.
    """
    workers = []
    for node in nodes:
        with contextlib.suppress(psutil.Error, KeyError, IndexError):
            raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
            for process in raylet.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if " ".join(process.cmdline()[:1]).startswith("ray::ResourceTrainable"):
                        workers.append(process)
    if not workers:
        return False
    with contextlib.suppress(psutil.Error):
        rng.choice(workers).kill()
        return True
    return False


def soak(kills: int, trials: int, nodes: int, pause: tuple[float, float], seed: int) -> dict[str, Any]:
    """Run the searches and the kills; return the kills and the findings."""
    rng = random.Random(seed)
    done: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        store = _store(folder / "store")
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        try:
            up = [cluster.add_node(num_cpus=1) for _ in range(nodes)]
            cluster.wait_for_nodes()
            searching = Searching(folder, store.folder, cluster.address, trials)
            while done.total() < kills:
                searching.go_on()
                time.sleep(rng.uniform(*pause))
                kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
                if kind == "node":
                    victim = rng.randrange(len(up))
                    cluster.remove_node(up[victim], allow_graceful=False)
                    up[victim] = _new_node(cluster)
                elif not (kill_worker(up, rng) if kind == "worker" else searching.kill_driver()):
                    continue
                done[kind] += 1
                print(f"{done.total():3d} {kind}, {time.monotonic() - began:.0f} s", flush=True)
            searching.wait()
            counts = [counted(run, trials, 2) for run in searching.folders]
        finally:
            cluster.shutdown()
    return {
        "kills": dict(done),
        "seconds": time.monotonic() - began,
        "searches": [asdict(count) for count in counts],
    }


def _new_node(cluster: Cluster) -> Any:
    """Add a node, with retries, because on a busy machine it may not start at once."""
    for _ in range(4):
        with contextlib.suppress(Exception):  # Ray raises no other
            return cluster.add_node(num_cpus=1)
    return cluster.add_node(num_cpus=1)


def drive(folder: Path, store: Path, address: str, trials: int) -> None:
    """Run the search in the driver's process, or resume it."""
    view = LineView(sys.stdout)
    with patch.object(trainer, "TrialActor", LoggedTrial):
        if (folder / "run.json").exists():
            resume_search(folder, {}, view)
            return
        space = load_dict(
            {
                "name": "soak",
                "data": str(store),
                "objectives": ["val_mae", "params"],
                "trials": trials,
                "confirm_seeds": 2,
                "confirm_epochs": "1x",
                "base": {"epochs": EPOCHS, "resolution": 32, "batch_size": 16, "depths": [1] * 5},
                "vary": {"widths": [{"low": 4, "high": 16, "step": 4}] * 5},
                "latency": {"resolution": 32, "batch_size": 1, "rounds": 2},
            }
        )
        resources = Resources(address=address, gpus_per_trial=0)
        run_search(Search(space, open_store(store), folder, resources, view), "soak", sys.argv)


def _store(folder: Path) -> Store:
    """Make a store of images whose brightness follows the age, enough for an epoch of about a second."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    ages = rng.uniform(0, 100, 1200)
    images = np.clip(ages[:, None, None, None] * 2 + rng.normal(0, 25, (1200, 32, 32, 3)), 0, 255)
    splits = ["train"] * 1000 + ["val"] * 100 + ["test"] * 100
    labels = pd.DataFrame({"split": splits, "subject": "", "source": "", "age": ages, "age_std": 3.0})
    np.save(folder / "images.npy", images.astype(np.uint8))
    labels.to_parquet(folder / "labels.parquet", index=False)
    info = StoreInfo(
        name="bright",
        attributes={"age": LabelRange(0, 100, 1)},
        images=1200,
        side=32,
        fingerprint=fingerprint(images.astype(np.uint8), labels),
        protocol="in order",
        origin="made by a benchmark",
    )
    write_info(folder, info)
    return open_store(folder)


def main() -> int:
    """Kill, count and print; the exit code is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, metavar="N")
    parser.add_argument("--trials", type=int, default=12, metavar="N", help="of each search; default 12")
    parser.add_argument("--nodes", type=int, default=2, metavar="N", help="beside the head; default 2")
    parser.add_argument("--pause", type=float, nargs=2, default=(4.0, 20.0), help="seconds between kills")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--drive", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        folder, store, address, trials = options.drive
        drive(Path(folder), Path(store), address, int(trials))
        return 0
    found = soak(options.kills, options.trials, options.nodes, tuple(options.pause), options.seed)
    print(f"{sum(found['kills'].values())} kills in {found['seconds']:.0f} s: {found['kills']}")
    for count in found["searches"]:
        print(
            f"  {count['trials']} trials {count['statuses']}, {count['epochs']} epochs trained in "
            f"{count['trained']} times, {count['begun']} starts, {count['resumed']} from a checkpoint"
        )
        for sentence in count["wrong"]:
            print(f"    WRONG: {sentence}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return int(any(count["wrong"] for count in found["searches"]))


if __name__ == "__main__":
    sys.exit(main())
