"""Do trials on one node share one copy of the images? Several train at once, and the kernel counts the pages.

    python benchmarks/shared_data.py [--trials 4] [--resolution 64] [--json FILE]

Each process opens the store, trains an epoch and reads the other splits. While all of them still hold their data, the
proportional set sizes (PSS, which divides shared pages among the processes that share them) of the images' memory map
are summed. A shared copy gives the size of the file, separate copies a multiple of it.
"""

import argparse
import json
import multiprocessing
import time
from dataclasses import asdict, dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil
from search_memory import sample

from suite.data.dataset import Dataset, load_dataset, resized_file
from suite.data.faces.embedded import faces_store
from suite.data.store import Store
from suite.runs.provenance import hardware, versions
from suite.training.evaluation import evaluate
from suite.training.fit import fit
from suite.trial import TrialConfig

TARGET_COPIES = 1.1  # in all processes together
TIMEOUT = 1800  # seconds


@dataclass(frozen=True)
class Shared:
    """MiB, summed over the processes."""

    trials: int
    file: float  # of the images
    pss: float  # of their memory map
    rss: float  # of their memory map: the sum without sharing
    copies: float  # pss / file
    processes: float  # PSS of the processes, with their libraries


def measure(trials: int, resolution: int) -> Shared:
    """Train several networks at once and measure the memory that holds the images."""
    store = faces_store()
    load_dataset(store, "age", resolution)  # resizes the images once, before the trials start
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(trials + 1)
    processes = [context.Process(target=trial, args=(seed, resolution, ready)) for seed in range(trials)]
    for process in processes:
        process.start()
    try:
        ready.wait(TIMEOUT)
        return _count([psutil.Process(process.pid) for process in processes], _images(store, resolution))
    finally:
        for process in processes:  # their work is done
            process.kill()
            process.join()


def trial(seed: int, resolution: int, ready: Barrier) -> None:
    """Train on one core, and keep the data until the process is ended."""
    try:
        dataset = _trained(seed, resolution)  # noqa: F841, held while the memory is counted
        ready.wait(TIMEOUT)
    except Exception:
        ready.abort()  # the others need not wait
        raise
    time.sleep(TIMEOUT)


def _trained(seed: int, resolution: int) -> Dataset:
    """Return the data set after an epoch of training and an evaluation of the test split."""
    dataset = load_dataset(faces_store(), "age", resolution)
    config = TrialConfig(
        widths=(4, 4, 8, 8, 8), depths=(1, 1, 1, 1, 1), epochs=1, resolution=resolution, seed=seed
    )
    training = fit(config, dataset, threads=1)
    next(training)
    evaluate(
        training.network,
        dataset.splits["test"],
        training.label_set,
        method=config.method,
        precision=training.precision,
        device=training.device,
    )
    return dataset


def _images(store: Store, resolution: int) -> Path:
    if resolution == store.info.side:
        return store.folder / "images.npy"
    return resized_file(store, resolution)


def _count(processes: list[psutil.Process], images: Path) -> Shared:
    maps = [
        region
        for process in processes
        for region in process.memory_maps()
        if Path(region.path) == images.resolve()
    ]
    size, pss = images.stat().st_size, sum(region.pss for region in maps)
    return Shared(
        trials=len(processes),
        file=size / 2**20,
        pss=pss / 2**20,
        rss=sum(region.rss for region in maps) / 2**20,
        copies=pss / size,
        processes=1024 * sum(sample(processes)[0].values()),
    )


def main() -> None:
    """Measure and print, and write JSON if requested."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=4, metavar="N", help="at once; default 4")
    parser.add_argument("--resolution", type=int, default=64, metavar="PIXELS", help="default 64")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers and the machine there")
    options = parser.parse_args()
    found = measure(options.trials, options.resolution)
    print(
        f"{found.trials} trials hold {found.copies:.2f} copies of the images together (target at most "
        f"{TARGET_COPIES:g}): PSS {found.pss:.1f} MiB of a file of {found.file:.1f} MiB"
    )
    print(f"  with a copy each: {found.rss:.1f} MiB")
    print(f"  all processes, with their libraries: {found.processes:.0f} MiB (PSS)")
    if options.json:
        document = {**asdict(found), "target": TARGET_COPIES, "versions": versions(), "hardware": hardware()}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
