"""What pruning, distillation and int8 achieve: the trainings behind the table of docs/compression.md.

Each trial of a run of ThinAgeNet is halved and trained on as long as it was trained, and TinyAgeNet is
trained from scratch for as many epochs as both together. The halved network then teaches a network that is
small enough for a file of 0.25 MB, which is trained on labels alone, too. All become int8 files. Rows
that the run has already are not made again:

    .venv/bin/suite run --search benchmarks/compression.yaml --out RUN
    .venv/bin/python benchmarks/compression.py RUN [--json FILE]
"""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from suite.compression.derived_trial import DistillationSettings
from suite.compression.distil import Distillation
from suite.compression.prune_and_finetune import Pruning
from suite.compression.steps import distil, make_int8, prune
from suite.deployment.trained_trial import TrainedTrial, finished_row, open_trial
from suite.deployment.verify import MismatchError
from suite.presets import PRESETS, Architecture
from suite.runs.folder import lock_run_folder
from suite.runs.tables import read_run
from suite.statistics.student_t import student_t_quantile

#: 153,805 parameters with 101 bins.
SMALL = Architecture((8, 16, 32, 64, 64), (1, 2, 2, 2, 2))
TAUGHT, ALONE = DistillationSettings(0.3, 1.0), DistillationSettings(0.0)
Rows = dict[str, list[Mapping[str, Any]]]


def say(sentence: str) -> None:
    """Print progress to standard error."""
    print(sentence, file=sys.stderr, flush=True)


def compress(thin: TrainedTrial, rows: Rows) -> None:
    """Make every variant from one ThinAgeNet."""
    epochs, rate = thin.config.epochs, thin.config.learning_rate

    def student(of: TrainedTrial, network: Architecture, teaching: DistillationSettings) -> TrainedTrial:
        return distil(of, Distillation(network.widths, network.depths, 2 * epochs, rate, teaching), say)

    def keep(name: str, make: Callable[[], TrainedTrial]) -> TrainedTrial:
        made = make()
        rows.setdefault(name, []).append(made.row)
        try:
            make_int8(made, say)
            int8 = finished_row(read_run(made.run.folder), f"{made.id}-int8")
            rows.setdefault(f"{name}, int8", []).append(int8)
        except MismatchError as mismatch:  # that is a result, too
            say(f"{name} of {thin.id}: {mismatch}")
        return made

    rows.setdefault(f"Thin, {epochs} epochs", []).append(thin.row)
    pruning = Pruning((0.5,) * 5, "uniform", "taylor", 1, epochs, rate)
    halved = keep(f"Thin halved, {epochs} + {epochs} epochs", lambda: prune(thin, pruning, say))
    keep(f"Tiny from scratch, {2 * epochs} epochs", lambda: student(thin, PRESETS["tiny"], ALONE))
    keep(f"small, taught by the halved Thin, {2 * epochs} epochs", lambda: student(halved, SMALL, TAUGHT))
    keep(f"small from scratch, {2 * epochs} epochs", lambda: student(halved, SMALL, ALONE))


def main() -> int:
    """Print one row per variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="a run of benchmarks/compression.yaml")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    run, rows = read_run(options.run.resolve()), Rows()
    with lock_run_folder(run.folder):
        for trial_id in run.trials.loc[run.trials["stage"] == "search", "id"]:
            compress(open_trial(run.folder, str(trial_id), say, lambda done, of: None), rows)
    table = []
    for name, made in rows.items():
        errors = [float(row[run.info.error_column]) for row in made]
        mean, half = statistics.mean(errors), math.nan
        if len(errors) > 1:
            half = (
                student_t_quantile(0.975, len(errors) - 1) * statistics.stdev(errors) / math.sqrt(len(errors))
            )
        size = round(statistics.mean(int(row["bytes"]) for row in made))
        table.append({"variant": name, "params": int(made[0]["params"]), "bytes": size, "mae": errors})
        seeds = ", ".join(f"{error:.2f}" for error in errors)
        print(f"{name:55s} {table[-1]['params']:>10,} {size:>11,}  {mean:.2f} ± {half:.2f}  ({seeds})")
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
