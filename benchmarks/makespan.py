"""How well a search keeps many workers busy, measured with simulated trials of mixed length.

Searcher, TPE, scheduler, ledger and Ray Tune are those of a real search. A trial sleeps instead of training, and its
process imports neither torch nor the suite, so that 64 of them fit on a small machine. The ideal is list scheduling
of the same lengths in the same order, with workers that are there from the start and take the next trial at once.
Without knowing the lengths in advance, no schedule does better. The lower bound max(sum of all lengths / workers, the
longest) is printed as well. The makespan includes the start of the workers' processes. The driver's memory (USS) is
recorded, too.

    python benchmarks/makespan.py [--trials 1000] [--workers 64] [--seconds 60] [--json FILE]
"""

import argparse
import heapq
import json
import logging
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import ray
from ray import tune

sys.path.insert(0, str(Path(__file__).parent))

from ray_overhead import _no_latency, _store

from search_spaces import find, load
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search import engine, stages
from suite.search.tune import cluster_session, searcher, trainer
from suite.search.tune.messages import TrialReport
from suite.trial import EpochResult, Metrics, Profile, TrialResult

TARGET, MEMORY_TARGET = 0.95, 100_000  # of the ideal makespan; bytes per trial
EPOCHS = 4


@dataclass(frozen=True)
class Sleep:
    """The request that is sent to a worker; a real one would import the suite there."""

    id: str
    seconds: float  # of the whole trial


class SleepingTrial(tune.Trainable):
    """A trial that sleeps, one epoch per step."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take the first request."""
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next request; the process is reused."""
        self._sleep, self._epoch, self._began = new_config["request"], 0, time.time()
        return True

    def step(self) -> dict[str, Any]:
        """Sleep for an epoch."""
        time.sleep(self._sleep.seconds / EPOCHS)
        self._epoch += 1
        seconds = time.time() - self._began
        return {"slept": (self._epoch, self._began, seconds), "done": self._epoch == EPOCHS}


class SleepingSearcher(searcher.TrialSearcher):
    """The searcher of the suite, with other requests and results."""

    def suggest(self, trial_id: str) -> dict[str, Any] | str:  # type: ignore[override]
        """Suggest a trial and draw its length."""
        suggested = super().suggest(trial_id)
        if isinstance(suggested, str):
            return suggested
        # The lengths of real trainings spread like this: most are short, some four times the mean.
        length = min(4 * SETTING.seconds, SETTING.lengths.lognormvariate(0, 0.7) * SETTING.seconds / 1.28)
        SETTING.slept[suggested["request"].id] = length
        return {"request": Sleep(suggested["request"].id, length)}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Report an epoch."""
        super().on_trial_result(trial_id, self._with_report(trial_id, result))

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Report the end of a trial."""
        super().on_trial_complete(trial_id, self._with_report(trial_id, result or {}), error)

    def _with_report(self, trial_id: str, result: dict[str, Any]) -> dict[str, Any]:
        if trial_id not in self.running or "slept" not in result:
            return result
        trial, (number, began, seconds) = self.running[trial_id], result["slept"]
        params = sum(trial.proposal.config.widths)
        metrics = Metrics(1e3 / params, 1e3 / params, 0.9, 0.3, 0.5, 0.8, None)
        epoch = EpochResult(number, 1.0, 1.0, 1.0, 1e-3, seconds, 0.0, metrics)
        is_last = number == EPOCHS
        report = TrialReport(
            id=trial.proposal.id,
            ended=is_last,
            status="finished" if is_last else "running",
            cause="",
            profile=Profile(params=params, macs=params, macs_at_224=params, bytes=params),
            precision="float32",
            epoch=epoch,
            began=began,
            seconds=seconds,
            earlier_epochs=() if number == 1 else None,
        )
        return {**result, "report": report}


@dataclass
class Setting:
    """The mean length of trials in seconds, and the lengths that were drawn."""

    seconds: float
    lengths: random.Random
    slept: dict[str, float] = field(default_factory=dict)


SETTING = Setting(60.0, random.Random(0))


@dataclass
class Watch:
    """A watcher that records the driver's memory and the times at which trials end."""

    ends: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)  # bytes, at each end

    def stage(self, sentence: str) -> None:
        """Ignore stages."""

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Record the end of a trial."""
        if ended is not None:
            self.ends.append(time.time())
            self.memory.append(psutil.Process().memory_full_info().uss)

    def advance(self, done: int, of: int) -> None:
        """Ignore progress after the trials."""

    def close(self) -> None:
        """Release nothing."""


@dataclass(frozen=True)
class Makespan:
    """The result, in seconds and bytes."""

    trials: int
    workers: int
    bound: float  # max(sum of lengths / workers, longest length)
    ideal: float  # list scheduling in the order of the suggestions
    makespan: float  # from the start of the first trial to the end of the last
    started_in: float  # until every worker had started a trial; part of the makespan
    share: float  # ideal / makespan
    #: The share from then on: the sleep that was left, over the time that it took.
    share_once_up: float
    bytes_a_trial: float  # growth of the driver, after the first tenth of the trials


def measure(trials: int, workers: int) -> Makespan:
    """Run one search of sleeping trials."""
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="makespan-") as name:
        store = _store(Path(name) / "store")
        space = load(find("tiny"), overrides=[f"trials={trials}", f"data={store.folder}", f"epochs={EPOCHS}"])
        with (
            patch.object(trainer, "TrialActor", SleepingTrial),
            patch.object(trainer, "TrialSearcher", SleepingSearcher),
            patch.object(stages, "evaluate_on_test", lambda *_: None),
            patch.object(stages, "measure_latency", _no_latency),
            patch.object(cluster_session, "ray_session", _cluster_of(workers)),
        ):
            search = engine.Search(space, store, Path(name) / "run", Resources(), watch)
            engine.run_search(search, "tiny", sys.argv)
        rows = read_run(Path(name) / "run").trials
    if len(rows) != trials or (rows["status"] != "finished").any():
        raise RuntimeError(f"{trials} trials were asked for, these ended: {rows['status'].value_counts()}")
    zero = watch.ends[0] - float((rows["started"] + rows["seconds"]).min())
    begins, ends = rows["started"] + zero, rows["started"] + rows["seconds"] + zero
    all_up = float(begins.sort_values().iloc[workers - 1])  # each start until then is that of a new process
    lengths = list(SETTING.slept.values())
    ideal, makespan = list_schedule(lengths, workers), max(watch.ends) - begins.min()
    left = float((ends.clip(lower=all_up) - begins.clip(lower=all_up)).sum())
    first = trials // 10
    return Makespan(
        trials=trials,
        workers=workers,
        bound=max(sum(lengths) / workers, max(lengths)),
        ideal=ideal,
        makespan=float(makespan),
        started_in=float(all_up - begins.min()),
        share=float(ideal / makespan),
        share_once_up=left / workers / (max(watch.ends) - all_up),
        bytes_a_trial=(watch.memory[-1] - watch.memory[first]) / (trials - first),
    )


def list_schedule(lengths: Iterable[float], workers: int) -> float:
    """Return the makespan, in seconds, if each trial starts on the first free worker (Graham 1966)."""
    free_at = [0.0] * workers
    for length in lengths:
        heapq.heapreplace(free_at, free_at[0] + length)
    return max(free_at)


def _cluster_of(cores: int) -> Any:
    """A Ray session in which this machine claims to have ``cores`` cores."""

    @contextmanager
    def session(resources: Resources) -> Iterator[None]:
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # as in a real search
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=100 * 2**20,
        )
        try:
            yield
        finally:
            ray.shutdown()

    return session


def main() -> None:
    """Measure and print, and write JSON if requested."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000, metavar="N", help="default 1000")
    parser.add_argument("--workers", type=int, default=64, metavar="N", help="default 64")
    parser.add_argument("--seconds", type=float, default=60.0, help="mean length of a trial; default 60")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    options = parser.parse_args()
    SETTING.seconds = options.seconds
    found = measure(options.trials, options.workers)
    print(f"{found.trials} trials on {found.workers} workers, {options.seconds:g} s each in the mean")
    print(f"  ideal                 {found.ideal:8.1f} s  (no schedule is shorter than {found.bound:.1f} s)")
    print(
        f"  makespan              {found.makespan:8.1f} s  {found.share:.1%} of the ideal (aim {TARGET:.0%})"
    )
    once_up = f"{found.share_once_up:.1%} of their time used from then on"
    print(f"  workers started in    {found.started_in:8.1f} s  {once_up}")
    grown = f"{found.bytes_a_trial / 1e3:8.1f} kB a trial (target {MEMORY_TARGET / 1e3:g} kB)"
    print(f"  the driver grew by    {grown}")
    if options.json:
        options.json.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
