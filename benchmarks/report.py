"""How long a report takes to build and draw, and its size, for synthetic runs of 50 and 10,000 trials.

    python benchmarks/report.py [--trials 50 10000] [--keep DIR]

The rows come from a formula, not from trainings, so these reports say nothing about networks. Browser times are
measured in a headless Chromium (pip install playwright), and left out where there is none.
"""

import argparse
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from suite.runs.info import DataUsed, ReferenceNetwork, RunInfo, write_info
from suite.runs.tables import epoch_row, trial_row, write_rows
from suite.trial import EpochResult, Metrics, Profile, Status, TrialConfig, TrialResult

EPOCHS = 12
TINY_PARAMS = 934_869


def write_synthetic_run(folder: Path, trials: int, seed: int = 0) -> None:
    """A run folder of so many trials: widths, depths and three fields varied, one in three stopped early."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows, epochs = [], []
    for number in range(trials):
        result, curve = _trial(number, rng)
        row = trial_row(result)
        if number % 100 == 0 and result.status == "finished":
            row |= _timed(row["macs_at_224"], rng)
        rows.append(row)
        epochs += [epoch_row(result.id, epoch, "age") for epoch in curve]
    write_info(folder, _info(trials))
    write_rows(folder, "trials", rows)
    write_rows(folder, "epochs", epochs)


def _trial(number: int, rng: np.random.Generator) -> tuple[TrialResult, list[EpochResult]]:
    widths = tuple(int(w) for w in rng.choice([4, 8, 12, 16, 20], 1)) + tuple(
        int(step * rng.integers(1, 11)) for step in (8, 8, 16, 16)
    )
    depths = tuple(int(rng.integers(1, high + 1)) for high in (2, 2, 3, 3, 3))
    config = TrialConfig(
        widths=widths, depths=depths, epochs=EPOCHS, resolution=40, batch_size=32,
        lambda_l1=float(10 ** rng.uniform(-2, -0.3)), label_deviation=float(rng.uniform(1, 4)),
        learning_rate=float(10 ** rng.uniform(-2.7, -2)),
    )  # fmt: skip
    profile = _profile(config)
    status: Status = rng.choice(["finished", "stopped", "diverged"], p=[0.66, 0.33, 0.01])  # type: ignore[assignment]
    ran = {"finished": EPOCHS, "stopped": 4, "diverged": 1}[status]
    end = 6.5 + 1.3 * max(math.log10(2e6 / profile.params), 0) + abs(rng.normal(0, 0.8))
    values = end + 14 * np.exp(-np.arange(1, ran + 1) / 3) + rng.normal(0, 0.1, ran)
    curve = [
        EpochResult(epoch, value / 3, value / 4, 0.9 * value, 0.004, 4.2, 480.0, _metrics(value))
        for epoch, value in enumerate(map(float, values), 1)
    ]
    causes = {
        "finished": "",
        "stopped": "9th of 12 by front rank at epoch 4",
        "diverged": "the loss is NaN at step 212",
    }
    result = TrialResult(
        id=f"t{number:04d}", stage="search", config=config, status=status, cause=causes[status],
        profile=profile, validation=curve[-1].validation, epochs_run=ran, seconds=4.2 * ran,
        precision="float32",
        trials_known=max(number - 2, 0), started=25.0 * number,
    )  # fmt: skip
    return result, curve


def _profile(config: TrialConfig) -> Profile:
    layers, entering = [], 3
    for stage, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
        for _ in range(depth):
            layers.append((entering, width, stage))
            entering = width
    params = sum(9 * a * b + 2 * b for a, b, _ in layers) + (entering + 1) * 101

    def macs(side: int) -> int:
        return sum(9 * a * b * (side >> stage) ** 2 for a, b, stage in layers) + entering * 101

    return Profile(params, macs(config.resolution), macs(224), 4 * params + 18_000)


def _metrics(mae: float) -> Metrics:
    return Metrics(mae, 1.3 * mae, 0.9, 0.4, 0.6, 0.8, 0.35)


def _timed(macs: int, rng: np.random.Generator) -> dict[str, float]:
    speedup = (15.47e9 / macs) ** 0.75 * float(rng.uniform(0.9, 1.1))
    found = {}
    for suffix in ("", "_at_224"):
        found |= {
            f"latency_ms_per_image{suffix}": 390 / speedup, f"speedup_vs_vgg16{suffix}": speedup,
            f"speedup_vs_vgg16{suffix}_low": 0.93 * speedup, f"speedup_vs_vgg16{suffix}_high": 1.08 * speedup,
        }  # fmt: skip
    return found


def _info(trials: int) -> RunInfo:
    vary: dict[str, Any] = {
        "widths": [
            {"low": low, "high": high, "step": low}
            for low, high in ((4, 20), (8, 80), (8, 80), (16, 160), (16, 160))
        ],
        "depths": [{"low": 1, "high": high} for high in (2, 2, 3, 3, 3)],
        "lambda_l1": {"low": 0.01, "high": 0.5, "log": True},
        "label_deviation": {"low": 1.0, "high": 4.0},
        "learning_rate": {"low": 0.002, "high": 0.01, "log": True},
    }  # fmt: skip
    search = {
        "name": "synthetic", "description": "rows drawn by a formula, not trained", "data": "faces",
        "objectives": ["val_mae", "params", "macs"], "sampler": "tpe", "trials": trials, "confirm_seeds": 1,
        "base": {"epochs": EPOCHS, "resolution": 40, "batch_size": 32}, "vary": vary,
    }  # fmt: skip
    named = {
        "VGG-16": (134_674_341, 15.47e9),
        "ThinAgeNet": (3_708_229, 3.87e9),
        "TinyAgeNet": (TINY_PARAMS, 0.982e9),
    }
    references = [
        ReferenceNetwork(name, params, round(macs * (40 / 224) ** 2), round(macs), 4 * params)
        for name, (params, macs) in named.items()
    ]
    data = DataUsed(
        "faces",
        "faces",
        "0" * 64,
        64,
        4000,
        4000,
        800,
        800,
        "no data: rows drawn by a formula",
        "none",
        0,
        22.5,
    )
    return RunInfo(
        name=f"synthetic-{trials}", status="finished", command=["python", "benchmarks/report.py"],
        search=search, search_file="benchmarks/report.py", attribute="age", resolution=40,
        objectives=search["objectives"], trials_asked=trials, seed=0, max_concurrent=2, data=data,
        references=references, versions={}, git_revision="", hardware={},
        started="2026-01-01T00:00:00+00:00", ended="2026-01-02T00:00:00+00:00", seconds=86_400.0,
        latency={"batch_size": 1, "threads": 2, "device": "cpu"},
    )  # fmt: skip


def build(folder: Path, target: Path) -> None:
    """Build a report as ``suite report`` does, and print its time and peak memory."""
    began, cpu = time.perf_counter(), time.process_time()
    from reports.html.page import write_report
    from suite.runs.tables import read_run
    from suite.search.study.importance import importances

    run = read_run(folder)
    write_report(run, target, importances(run))
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"built in {seconds:.1f} s ({time.process_time() - cpu:.1f} s of a processor), imports included, "
        f"with a peak of {memory:,.0f} MiB; {target.stat().st_size / 1e6:.2f} MB"
    )


FIRST = "() => performance.getEntriesByName('front')[0]?.startTime"
#: Records the time of the first frame with the static picture of the front.
PICTURE = """
requestAnimationFrame(function look() {
  if (!document.querySelector('#front-chart > svg')) requestAnimationFrame(look);
  else setTimeout(() => { window.pictured = performance.now(); });
});
"""
SWITCH = """async (axis) => {
  const chart = document.getElementById('front-chart');
  const radio = document.querySelector(`input[name=x][value=${axis}]`);
  const began = performance.now();
  const done = new Promise((resolve) => chart.addEventListener('drawn', resolve, { once: true }));
  radio.click();
  await done;
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - began;
}"""


def browse(target: Path) -> None:
    """Print the time to the first chart and of switches between axes in a headless Chromium, in milliseconds.

    A static picture of the front comes first; the interactive chart replaces it when plotly.js is loaded.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("no browser: pip install playwright, and have a Chromium on the PATH")
        return
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(PICTURE)
        page.goto(target.as_uri())
        first = page.wait_for_function(FIRST).json_value()
        picture = page.evaluate("window.pictured")
        page.wait_for_timeout(1500)
        switches = {axis: page.evaluate(SWITCH, axis) for axis in ("macs", "bytes", "params", "ms", "macs")}
        browser.close()
    times = ", ".join(f"{axis} {ms:.0f} ms" for axis, ms in switches.items())
    print(
        f"picture of the front {picture:.0f} ms after navigation, interactive chart {first:.0f} ms; "
        f"switched to {times}"
    )


def main() -> None:
    """Build and draw each report in a process of its own, so that its memory can be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[50, 10_000])
    parser.add_argument("--keep", type=Path, help="leave runs and reports there")
    parser.add_argument("--build", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(*options.build)
        return
    with tempfile.TemporaryDirectory() as temporary:
        for trials in options.trials:
            folder = (options.keep or Path(temporary)) / f"synthetic-{trials}"
            write_synthetic_run(folder, trials)
            print(f"{trials:,} trials", flush=True)
            subprocess.run([sys.executable, __file__, "--build", folder, folder / "report.html"], check=True)
            browse(folder.resolve() / "report.html")


if __name__ == "__main__":
    main()
