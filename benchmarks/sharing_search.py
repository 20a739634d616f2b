"""A whole search with weight sharing beside the same search without, for the same wall time and with the same seeds.

    python benchmarks/sharing_search.py SPACE [--data SET] [--seeds 5] [--minutes 4] [--set key=value ...]
        [--shared-set key=value ...]

Both searches run until the time is over, and trainings that had not ended by then do not count. Ray's start and the
data count; confirmation and latency do not. Networks are chosen by validation and then judged once on test: the
hypervolume of the chosen front in the error and the logarithm of the parameters, and the error of the best network up
to each of some sizes. The reference point of a seed's two hypervolumes is the worst error and the most parameters of
both searches on validation, a tenth farther.
"""

import argparse
import json
import math
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from search_spaces import find, load
from suite.api import load_data, load_store
from suite.networks.weights import load_network
from suite.runs.info import Resources
from suite.runs.tables import read_run
from suite.runs.watcher import SearchProgress
from suite.search.engine import Search, run_search
from suite.statistics.paired import mean_interval
from suite.statistics.pareto import hypervolume, non_dominated
from suite.training.evaluation import evaluate
from suite.training.recipe import resolve_precision
from suite.trial import TrialResult

SIZES = (50_000, 100_000, 250_000, 1_000_000)
ARMS = ("alone", "sharing")
MOST_TRIALS = 10_000


class StopsInTime:
    """A watcher that presses Ctrl-C when a training ends after the time is over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def stage(self, sentence: str) -> None:
        """Print a sentence."""
        print(f"    {sentence}", flush=True)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Stop after a training."""
        self.advance(0, 0)

    def advance(self, done: int, of: int) -> None:
        """Stop while something long goes on."""
        if time.monotonic() > self._end:
            raise KeyboardInterrupt

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True)
class Network:
    """A network of the front that validation chose."""

    id: str
    params: int
    val: float  # mean absolute error, label units
    test: float


@dataclass(frozen=True)
class Arm:
    """One search."""

    seed: int
    arm: str
    trained: int  # trainings that had ended in time
    front: Sequence[Network]

    def best(self, size: int, split: str) -> float:
        """Return the error on a split of the network up to a size that validation calls the best."""
        fitting = [one for one in self.front if one.params <= size]
        chosen = min(fitting, key=lambda one: one.val, default=None)
        return math.nan if chosen is None else float(getattr(chosen, split))

    def volume(self, corner: tuple[float, float], split: str) -> float:
        """Return the hypervolume of the front on a split."""
        points = [[float(getattr(one, split)), math.log(one.params)] for one in self.front]
        return hypervolume(np.array(points).reshape(-1, 2), corner)


def search(name: str, settings: Sequence[str], data: str, folder: Path, seconds: float) -> None:
    """Search in this process until the time is over."""
    space = load(find(name), overrides=settings)
    store = load_store(data)
    began = time.time()
    run_search(Search(space, store, folder, Resources(), StopsInTime(seconds)), name, ["benchmark"])
    (folder / "began.txt").write_text(str(began))


def measure(name: str, settings: Sequence[str], data: str, seed: int, arm: str, seconds: float) -> Arm:
    """Search in a process of its own, and judge its front."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "run"
        folder.mkdir()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=search, args=(name, settings, data, folder, seconds))
        process.start()
        process.join()
        ended = _ended(folder, seconds)
        return Arm(seed, arm, len(ended), [_judged(folder, row, data) for row in _front(ended)])


def _ended(folder: Path, seconds: float) -> pd.DataFrame:
    trials = read_run(folder).trials
    began = float((folder / "began.txt").read_text())
    in_time = trials["started"] + trials["seconds"] <= began + seconds
    return trials[(trials["status"] == "finished") & (trials["stage"] == "search") & in_time]


def _front(trials: pd.DataFrame) -> list[Mapping[str, object]]:
    error = next(column for column in trials.columns if column.startswith("val_mae_"))
    losses = trials[[error, "params"]].to_numpy(dtype=float)
    return trials[non_dominated(losses)].rename(columns={error: "val"}).to_dict("records")


def _judged(folder: Path, row: Mapping[str, object], data: str) -> Network:
    network, config, label_set = load_network(folder / f"weights/{row['id']}.safetensors")
    dataset = load_data(data, attribute=config.attribute, resolution=config.resolution)
    device = torch.device("cpu")
    errors = [
        evaluate(
            network,
            dataset.splits[split],
            label_set,
            method=config.method,
            precision=resolve_precision(config.precision, device),
            device=device,
        ).mae
        for split in ("val", "test")
    ]
    return Network(str(row["id"]), int(str(row["params"])), *errors)


def describe(arms: Sequence[Arm]) -> Iterator[str]:
    """Yield the lines of the table."""
    pairs = _pairs(arms)
    yield f"| mean of {len(pairs)} seeds | alone | sharing | difference, 95 % interval |"
    yield "|---|---|---|---|"
    yield _line("trainings that ended in time", [tuple(float(one.trained) for one in pair) for pair in pairs])
    for split in ("val", "test"):
        volumes = [tuple(one.volume(_corner(pair), split) for one in pair) for pair in pairs]
        yield _line(f"hypervolume, {split}", volumes)
    for split in ("val", "test"):
        for size in SIZES:
            errors = [tuple(one.best(size, split) for one in pair) for pair in pairs]
            yield _line(f"{split} MAE of the best network up to {size:,} parameters", errors)


def _pairs(arms: Sequence[Arm]) -> list[tuple[Arm, ...]]:
    seeds = sorted({one.seed for one in arms})
    pairs = [
        tuple(one for arm in ARMS for one in arms if (one.seed, one.arm) == (seed, arm)) for seed in seeds
    ]
    return [pair for pair in pairs if len(pair) == len(ARMS)]


def _corner(pair: Sequence[Arm]) -> tuple[float, float]:
    networks = [network for arm in pair for network in arm.front]
    return 1.1 * max(one.val for one in networks), math.log(1.1 * max(one.params for one in networks))


def _line(label: str, values: Sequence[tuple[float, ...]]) -> str:
    values = [pair for pair in values if all(map(math.isfinite, pair))]
    if not values:  # a search found no network so small
        return f"| {label} | | | |"
    alone, sharing = (statistics.mean(pair[arm] for pair in values) for arm in range(len(ARMS)))
    difference = mean_interval([pair[1] - pair[0] for pair in values])
    interval = f"{difference.mean:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"
    return f"| {label} | {alone:.2f} | {sharing:.2f} | {interval} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("space", help="the name of a search space or its file")
    parser.add_argument("--data", help="instead of the space's own")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--set", nargs="*", default=[], help="changes to the space, for both")
    parser.add_argument("--shared-set", nargs="*", default=[], help="changes for the search with sharing")
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=list(ARMS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = options.data or load(find(options.space)).data
    load_store(data)  # rendered or mapped before the clock starts
    arms = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for arm in options.arms:
            settings = [f"seed={seed}", f"trials={MOST_TRIALS}", "confirm_seeds=1", *options.set]
            settings += options.shared_set if arm == "sharing" else []
            arms.append(measure(options.space, settings, data, seed, arm, 60 * options.minutes))
            found = ", ".join(f"{one.params:,}: {one.val:.2f}" for one in arms[-1].front)
            print(f"seed {seed}, {arm}: {arms[-1].trained} trainings; {found}", flush=True)
            if options.json:
                options.json.write_text(json.dumps([asdict(one) for one in arms], indent=2) + "\n")
    if set(options.arms) == set(ARMS):
        print("\n".join(describe(arms)))


if __name__ == "__main__":
    main()
