"""The overhead of Ray Tune, Optuna and the run folder, measured with trials that do nothing.

This is a real search of the shipped space ``tiny`` with three changes: trials report at once instead of training, the
final stages are left out, and the start and end of Ray are timed separately. Everything else is the search itself:
suggestions by TPE, warm actors, the limit of concurrent trials, the tables.

    python benchmarks/ray_overhead.py [--trials 64] [--cores 2] [--json FILE]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from search_spaces import find, load
from suite.data.store import LabelRange, Store, StoreInfo, fingerprint, open_store, write_info
from suite.runs.info import Resources, RunInfo
from suite.runs.ledger import RunLedger
from suite.runs.provenance import hardware, versions
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search import engine, stages
from suite.search.tune import cluster_session, trainer
from suite.search.tune.actor import TrialActor
from suite.trial import EpochResult, Metrics, Profile, TrialResult

TARGET = 0.1  # seconds per trial
RAY_SESSION = cluster_session.ray_session  # the original, before the stopwatch replaces it


class EmptyTrial(TrialActor):
    """A trial that reports at once, with numbers that form a front."""

    def step(self) -> dict[str, Any]:
        """Report the only epoch."""
        params = sum(self._request.config.widths)
        self._profile = Profile(params=params, macs=params, macs_at_224=params, bytes=params)
        metrics = Metrics(1e3 / params, 1e3 / params, 0.9, 0.3, 0.5, 0.8, None)
        epoch = EpochResult(1, 1.0, 1.0, 1.0, 1e-3, 0.0, 0.0, metrics)
        return {"report": self._report(ended=True, status="finished", epoch=epoch), "done": True}


@dataclass
class Stopwatch:
    """A watcher that records the end of each trial, with a timed Ray session."""

    ray_start: float = 0.0
    trials: float = 0.0  # from the start of Ray to its end, whatever Tune does in it
    ray_end: float = 0.0
    ends: list[float] = field(default_factory=list)  # seconds after the start of Ray
    _ray_started: float = 0.0

    @contextmanager
    def session(self, resources: Resources) -> Iterator[None]:
        """Time the Ray session of the search."""
        began = time.perf_counter()
        with RAY_SESSION(resources):
            self._ray_started = time.perf_counter()
            yield
            ended = time.perf_counter()
        self.ray_start = self._ray_started - began
        self.trials = ended - self._ray_started
        self.ray_end = time.perf_counter() - ended

    def stage(self, sentence: str) -> None:
        """Ignore stages, which the session times."""

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Record the end of a trial."""
        if ended is not None:
            self.ends.append(time.perf_counter() - self._ray_started)

    def advance(self, done: int, of: int) -> None:
        """Ignore progress after the trials."""

    def close(self) -> None:
        """Release nothing."""


@dataclass(frozen=True)
class Overhead:
    """The result, in seconds."""

    trials: int
    at_once: int
    seconds_a_trial: float  # all_trials / trials, which the target applies to
    all_trials: float  # wall time, including the start of the worker processes
    # The three parts of all_trials:
    first_trial: float  # until the first trial ended: worker processes start and import torch
    further_trials: float  # from there until the last trial ended
    tune_end: float  # from there until Tune stopped its worker processes
    ray_start: float  # not part of the above
    ray_end: float  # not part of the above


def measure(trials: int) -> Overhead:
    """Run one search of trials that do nothing."""
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="ray-overhead-") as folder:
        store = _store(Path(folder) / "store")
        space = load(find("tiny"), overrides=[f"trials={trials}", f"data={store.folder}", "epochs=1"])
        run = Path(folder) / "run"
        with (
            patch.object(trainer, "TrialActor", EmptyTrial),
            patch.object(stages, "evaluate_on_test", lambda *_: None),
            patch.object(stages, "measure_latency", _no_latency),
            patch.object(cluster_session, "ray_session", watch.session),
        ):
            engine.run_search(engine.Search(space, store, run, Resources(), watch), "tiny", sys.argv)
        found = read_run(run)
    if len(found.trials) != trials or (found.trials["status"] != "finished").any():
        raise RuntimeError(f"{trials} trials were asked for, these ended: {found.trials['status'].to_dict()}")
    return Overhead(
        trials=trials,
        at_once=found.info.max_concurrent,
        seconds_a_trial=watch.trials / trials,
        all_trials=watch.trials,
        first_trial=watch.ends[0],
        further_trials=watch.ends[-1] - watch.ends[0],
        tune_end=watch.trials - watch.ends[-1],
        ray_start=watch.ray_start,
        ray_end=watch.ray_end,
    )


def _no_latency(search: engine.Search, info: RunInfo, ledger: RunLedger) -> RunInfo:
    return info


def _store(folder: Path) -> Store:
    """Make a store of thirty black images, which no trial reads."""
    folder.mkdir()
    images = np.zeros((30, 48, 48, 3), np.uint8)
    labels = pd.DataFrame(
        {
            "split": ["train"] * 10 + ["val"] * 10 + ["test"] * 10,
            "subject": "",
            "source": "",
            "age": np.arange(30.0),
            "age_std": 1.0,
        }
    )
    np.save(folder / "images.npy", images)
    labels.to_parquet(folder / "labels.parquet", index=False)
    info = StoreInfo(
        name="black",
        attributes={"age": LabelRange(0, 100, 1)},
        images=len(images),
        side=48,
        fingerprint=fingerprint(images, labels),
        protocol="in order",
        origin="made by a benchmark",
    )
    write_info(folder, info)
    return open_store(folder)


def _use_cores(cores: int) -> None:
    """Limit this process and its children to ``cores`` cores."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < cores:
        raise SystemExit(f"--cores is {cores}, and this process may use {len(allowed)} cores")
    os.sched_setaffinity(0, allowed[:cores])


def main() -> None:
    """Measure and print, and write JSON if requested."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=64, metavar="N", help="default 64")
    parser.add_argument("--cores", type=int, default=2, metavar="N", help="default 2")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers and the machine there")
    options = parser.parse_args()
    _use_cores(options.cores)
    overhead = measure(options.trials)
    print(f"{overhead.trials} trials that do nothing, {overhead.at_once} at once, {options.cores} cores")
    print(f"  a trial               {overhead.seconds_a_trial:6.2f} s  (target {TARGET} s)")
    print(f"  all trials            {overhead.all_trials:6.2f} s")
    print(f"    until the first end {overhead.first_trial:6.2f} s  worker processes start and import torch")
    of_each = overhead.further_trials / max(1, overhead.trials - 1)
    print(
        f"    until the last end  {overhead.further_trials:6.2f} s  {of_each:.3f} s a trial on warm workers"
    )
    print(f"    until Tune's end    {overhead.tune_end:6.2f} s  worker processes stop")
    print(f"  Ray's start           {overhead.ray_start:6.2f} s  not in the above")
    print(f"  Ray's end             {overhead.ray_end:6.2f} s  not in the above")
    if options.json:
        document = {**asdict(overhead), "target": TARGET, "versions": versions(), "hardware": hardware()}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
