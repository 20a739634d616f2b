"""Is `faces` hard enough for network size to matter? One recipe, several seeds, widths from x1/16 up.

    python benchmarks/faces_difficulty.py [--widths 16 8 4] [--seeds 3] [--epochs 16] [--json FILE]

Trains each width with each seed. Prints each validation MAE, how much worse each width is than the widest, paired by
seed, and the error of the best constant.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from suite.cli.progress import CountedProgress
from suite.data.dataset import Dataset, load_dataset
from suite.data.faces.embedded import faces_store
from suite.machine import usable_cpus
from suite.statistics.paired import mean_interval
from suite.training.fit import fit
from suite.trial import TrialConfig

VGG16_WIDTHS = (64, 128, 256, 512, 512)


def main() -> None:
    """Train, then print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 8, 4], help="VGG-16's divided by these")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--resolution", type=int, default=48)
    parser.add_argument(
        "--processes", type=int, default=usable_cpus(), help="trainings at once; default: cores"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    dataset = load_dataset(faces_store(), "age", options.resolution)
    errors = measure(options)
    constant = constant_error(dataset)
    print(table(errors, constant))
    if options.json:
        found = {"val_mae_years": errors, "constant_val_mae_years": constant}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def measure(options: argparse.Namespace) -> dict[int, list[float]]:
    """Return validation MAEs in years after the last epoch, one for each seed, by divisor of the widths."""
    progress = CountedProgress("trainings", sys.stderr)
    # The longest trainings start first, each on a core of its own.
    planned = [(divisor, seed) for divisor in sorted(options.widths) for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        running = {
            pool.submit(train, divisor, seed, options.epochs, options.resolution): (divisor, seed)
            for divisor, seed in planned
        }
        for done, ended in enumerate(as_completed(running), 1):
            ended.result()
            progress(done, len(planned))
    found = {which: training.result() for training, which in running.items()}
    return {
        divisor: [found[divisor, seed] for seed in range(options.seeds)]
        for divisor in sorted(options.widths, reverse=True)
    }


def train(divisor: int, seed: int, epochs: int, resolution: int) -> float:
    """Train on one core; return the validation MAE in years after the last epoch."""
    config = TrialConfig(
        widths=tuple(width // divisor for width in VGG16_WIDTHS),
        resolution=resolution,
        epochs=epochs,
        batch_size=32,
        learning_rate=5e-3,
        lambda_l1=0.03,
        seed=seed,
    )
    *_, last = fit(config, load_dataset(faces_store(), "age", resolution), threads=1)
    return last.validation.mae


def constant_error(dataset: Dataset) -> float:
    """Return the validation MAE of the median training label."""
    constant = dataset.splits["train"].labels.median()
    return float((dataset.splits["val"].labels - constant).abs().mean())


def table(errors: dict[int, list[float]], constant: float) -> str:
    """Make a table of the errors, and of how much worse each width is than the widest, with 95 % intervals."""
    widest = min(errors)
    lines = [
        f"| widths | MAE by seed | mean | worse than x1/{widest}, paired by seed |",
        "|---|---|---|---|",
    ]
    for divisor, found in errors.items():
        ratios = [own / best - 1 for own, best in zip(found, errors[widest], strict=True)]
        worse = "" if divisor == widest else with_interval([100 * ratio for ratio in ratios], " %")
        each = ", ".join(f"{error:.2f}" for error in found)
        lines.append(f"| x1/{divisor} | {each} | {with_interval(found, '')} | {worse} |")
    times = constant / statistics.mean(errors[widest])
    lines.append(f"| a constant | | {constant:.2f} | {times:.2f} times the error of x1/{widest} |")
    return "\n".join(lines)


def with_interval(values: Sequence[float], unit: str) -> str:
    """Format a mean and half the width of its 95 % interval (Student's t)."""
    if len(values) < 2:
        return f"{values[0]:.2f}{unit}"
    interval = mean_interval(values)
    return f"{interval.mean:.2f} ± {(interval.high - interval.low) / 2:.2f}{unit}"


if __name__ == "__main__":
    main()
