"""Synthetic runs, written and read through ``suite.runs.tables``: plausible numbers, none measured."""

import dataclasses
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from suite.runs.info import DataUsed, ReferenceNetwork, RunInfo, write_info
from suite.runs.tables import Run, epoch_row, read_run, trial_row, write_rows
from suite.trial import EpochResult, Metrics, Profile, Status, TrialConfig, TrialResult

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Fields of a configuration, the seed, the validation MAE; None: it diverged.
Training = tuple[Mapping[str, Any], int, float | None]
MakeRun = Callable[..., Run]


def pruned_from_a_parent(run: Run) -> Run:
    """The run as one of the search ``compress``, whose trials were all cut out of one network."""
    parent = {
        **run.trials.iloc[0].to_dict(),
        "id": "parent",
        "stage": "parent",
        "params": 3_708_229,
        "keep": None,
    }
    kept = [np.array([0.25, 0.5, 0.5, 0.5, 0.125 + n / 64]) for n in range(len(run.trials))]
    trials = run.trials.assign(parent="parent", keep=kept)
    return dataclasses.replace(run, trials=pd.concat([trials, pd.DataFrame([parent])], ignore_index=True))


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium: the machine's own, else the one that playwright has downloaded."""
    from playwright.sync_api import Error, sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    own = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as tool:
        try:
            started = tool.chromium.launch(executable_path=own, args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("there is no Chromium on this machine; `make test-browser` downloads one")
        yield started
        started.close()


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """``synthetic_run`` in the test's own folder."""
    return lambda **options: synthetic_run(tmp_path, **options)


def synthetic_run(
    folder: Path,
    trials: int = 24,
    epochs: int = 12,
    seed: int = 0,
    latency: bool = True,
    test: bool = True,
    statuses: Sequence[Status] | None = None,
    configs: Sequence[Mapping[str, Any]] = (),
    **info: Any,
) -> Run:
    """A run of ``trials`` trials; keywords replace fields of its ``RunInfo`` (data, status, name ...).

    ``configs`` has fields to replace in the configurations of the first trials, one mapping a trial.
    """
    rng = np.random.default_rng(seed)
    base = run_info(trials, epochs)
    base = dataclasses.replace(base, **info)
    kinds = list(statuses) if statuses is not None else _statuses(trials, rng)
    rows: list[dict[str, Any]] = []
    epoch_rows: list[dict[str, Any]] = []
    for number, status in enumerate(kinds):
        config = _config(number, epochs, base, rng)
        config = dataclasses.replace(config, **(configs[number] if number < len(configs) else {}))
        curve = _curve(config, status, base, rng)
        epoch_rows += [epoch_row(f"t{number:03d}", result, base.attribute) for result in curve]
        rows.append(trial_row(_result(f"t{number:03d}", config, status, curve, rng)))
    if test:
        _add_test(rows, base, rng)
    if latency:
        _add_latency(rows, rng)
    write_info(folder, base)
    write_rows(folder, "trials", rows)
    write_rows(folder, "epochs", epoch_rows)
    return read_run(folder)


@pytest.fixture
def make_points(tmp_path: Path) -> MakeRun:
    """A grid in which each point has fields of its configuration and a validation MAE a seed.

    Further arguments are fields of the ``RunInfo`` to replace.
    """

    def make(
        points: Sequence[tuple[Mapping[str, Any], Sequence[float]]], vary: Mapping[str, Any], **info: Any
    ) -> Run:
        trained = [(fields, seed, mae) for fields, errors in points for seed, mae in enumerate(errors)]
        return run_of_trainings(tmp_path, trained, vary, max(len(errors) for _, errors in points), **info)

    return make


@pytest.fixture
def make_trainings(tmp_path: Path) -> MakeRun:
    """A grid as ``run_of_trainings`` makes it, of three seeds where nothing else is said."""

    def make(trained: Sequence[Training], vary: Mapping[str, Any], seeds: int = 3) -> Run:
        return run_of_trainings(tmp_path, trained, vary, seeds)

    return make


def run_of_trainings(
    folder: Path, trained: Sequence[Training], vary: Mapping[str, Any], seeds: int, **info: Any
) -> Run:
    """A grid of given trainings. RMSE is 1.3 times the MAE, Pearson 0.9; ``info`` replaces fields."""
    search = {"name": "points", "sampler": "grid", "seeds": seeds, "vary": vary}
    base = dataclasses.replace(run_info(len(trained), 1), **{"search": search, **info})
    rows = [
        trial_row(_trained(f"t{number:03d}", TrialConfig(attribute=base.attribute, seed=seed, **fields), mae))
        for number, (fields, seed, mae) in enumerate(trained)
    ]
    write_info(folder, base)
    write_rows(folder, "trials", rows)
    return read_run(folder)


def _trained(trial_id: str, config: TrialConfig, mae: float | None) -> TrialResult:
    return TrialResult(
        id=trial_id,
        stage="search",
        config=config,
        status="diverged" if mae is None else "finished",
        cause="the loss is NaN at step 3" if mae is None else "",
        profile=Profile(params=934_869, macs=10, macs_at_224=100, bytes=4000),
        validation=None if mae is None else _metrics(mae),
        epochs_run=1,
        seconds=1.0,
        precision="float32",
        trials_known=0,
        started=0.0,
    )


def run_info(trials: int, epochs: int) -> RunInfo:
    """What ``run.json`` says of a synthetic run."""
    search = {
        "name": "tiny",
        "description": "Width and depth variants around the 0.9 M-parameter network.",
        "objectives": ["val_mae", "params", "macs"],
        "sampler": "tpe",
        "trials": trials,
        "base": {"epochs": epochs, "resolution": 48, "train_images": 2000, "batch_size": 64},
        "vary": {
            "width_1": {"choices": [4, 8, 16, 24]},
            "width_2": {"choices": [8, 16, 32, 48]},
            "depth_3": {"low": 1, "high": 3},
            "lambda_l1": {"low": 0.01, "high": 10.0, "log": True},
            "label_deviation": {"low": 1.0, "high": 4.0},
            "learning_rate": {"low": 0.0005, "high": 0.02, "log": True},
        },
    }
    return RunInfo(
        name="tiny-20261123-221000",
        status="finished",
        command=["suite", "run", "--search", "tiny", "--set", "base.epochs=12"],
        search=search,
        search_file="search_spaces/tiny.yaml",
        attribute="age",
        resolution=48,
        objectives=["val_mae", "params", "macs"],
        trials_asked=trials,
        seed=0,
        max_concurrent=2,
        data=DataUsed(
            name="faces",
            folder="cache/faces",
            fingerprint="9f2c1e" + "0" * 58,
            side=64,
            train_images=2000,
            train_images_stored=4000,
            val_images=800,
            test_images=800,
            origin="procedural renderer, seed 0",
            protocol="train, validation and test split by identity",
            skipped=0,
            constant_val_mae=24.6,
        ),
        references=references(48),
        versions={"python": "3.11.9", "torch": "2.13.0", "ray": "2.60.0", "optuna": "5.0.0"},
        git_revision="0123456789abcdef0123456789abcdef01234567",
        hardware={"cpu": "a processor", "cores": 2, "memory_gib": 16, "gpus": []},
        started="2026-11-23T22:10:00+00:00",
        ended="2026-11-23T22:16:40+00:00",
        seconds=400.0,
        latency={"batch_size": 4, "threads": 1, "rounds": 15, "device": "cpu", "precision": "float32"},
    )


def references(resolution: int) -> list[ReferenceNetwork]:
    """The paper's networks; parameters and multiply-adds from the architecture, by hand."""
    named = {"ThinAgeNet": (32, 64, 128, 256, 256), "TinyAgeNet": (16, 32, 64, 128, 128)}
    vgg_convolutions = _macs((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), 224) - 512 * 101
    vgg_linear = 25088 * 4096 + 4096 * 4096 + 4096 * 101
    scaled = round(vgg_convolutions * (resolution / 224) ** 2)
    vgg16 = ReferenceNetwork(
        "VGG-16", 134_674_341, scaled + vgg_linear, vgg_convolutions + vgg_linear, 134_674_341 * 4 + 2600
    )
    return [vgg16] + [
        ReferenceNetwork(
            name,
            _params(widths, (2, 2, 3, 3, 3)),
            _macs(widths, (2, 2, 3, 3, 3), resolution),
            _macs(widths, (2, 2, 3, 3, 3), 224),
            4 * _params(widths, (2, 2, 3, 3, 3)) + 18_000,
        )
        for name, widths in named.items()
    ]


def _statuses(trials: int, rng: np.random.Generator) -> list[Status]:
    """The first finishes; after it one in ten diverges and one in twenty fails."""
    drawn: list[Status] = ["finished"]
    kinds: list[Status] = ["finished", "diverged", "failed"]
    drawn += [kinds[i] for i in rng.choice(3, size=max(trials - 1, 0), p=[0.85, 0.1, 0.05])]
    return drawn[:trials]


def _config(number: int, epochs: int, info: RunInfo, rng: np.random.Generator) -> TrialConfig:
    varied: dict[str, Any] = {}
    if number > 0:  # the first trial is TinyAgeNet itself
        scale = 2.0 ** rng.uniform(-2.5, 1.0)
        drawn = (w * scale * 2.0 ** rng.normal(0, 0.3) for w in (16, 32, 64, 128, 128))
        varied = {
            "widths": tuple(8 * max(1, round(width / 8)) for width in drawn),
            "depths": tuple(int(rng.integers(1, d + 1)) for d in (2, 2, 3, 3, 3)),
            "lambda_l1": float(10 ** rng.uniform(-2, 1)),
            "label_deviation": float(rng.uniform(1, 4)),
            "learning_rate": float(10 ** rng.uniform(-3.3, -1.7)),
        }
    return TrialConfig(
        attribute=info.attribute, epochs=epochs, resolution=info.resolution, train_images=2000, **varied
    )


def _curve(config: TrialConfig, status: Status, info: RunInfo, rng: np.random.Generator) -> list[EpochResult]:
    ran = {"finished": config.epochs, "stopped": 2, "diverged": max(config.epochs // 3, 1), "failed": 0}[
        status
    ]
    scale = 1.0 if info.attribute == "age" else 0.03
    smaller = max(math.log10(3e6 / _params(config.widths, config.depths)), 0.0)
    end = 4.5 + 2.5 * smaller**0.8 + abs(rng.normal(0, 0.7))
    values = end + 14 * np.exp(-np.arange(ran) / (config.epochs / 4)) + rng.normal(0, 0.2, ran)
    return [
        EpochResult(
            epoch=epoch,
            train_loss=float(value) / 3,
            train_kl=float(value) / 4,
            train_l1=float(value * scale * 0.9),
            learning_rate=config.learning_rate,
            seconds=4.2,
            images_per_second=480.0,
            validation=_metrics(float(value * scale)),
        )
        for epoch, value in enumerate(values, start=1)
    ]


def _metrics(mae: float) -> Metrics:
    return Metrics(mae=mae, rmse=1.3 * mae, pearson=0.9, cs3=0.4, cs5=0.6, cs8=0.8, epsilon_error=0.35)


def _result(
    trial_id: str, config: TrialConfig, status: Status, curve: list[EpochResult], rng: np.random.Generator
) -> TrialResult:
    params = _params(config.widths, config.depths)
    profile = Profile(
        params=params,
        macs=_macs(config.widths, config.depths, config.resolution),
        macs_at_224=_macs(config.widths, config.depths, 224),
        bytes=4 * params + 18_000,
    )
    causes = {
        "finished": "",
        "stopped": "9th of 12 by front rank at epoch 2, where the first 4 go on",
        "diverged": "the loss is NaN at step 212",
        "failed": "the worker was killed",
    }
    return TrialResult(
        id=trial_id,
        stage="search",
        config=config,
        status=status,
        cause=causes[status],
        profile=profile if status != "failed" else None,
        validation=curve[-1].validation if curve else None,
        epochs_run=len(curve),
        seconds=4.2 * len(curve) + float(rng.uniform(0, 2)),
        precision="float32",
        trials_known=max(0, int(trial_id[1:]) - 2),
        started=20.0 * int(trial_id[1:]),
    )


def _add_test(rows: list[dict[str, Any]], info: RunInfo, rng: np.random.Generator) -> None:
    for row in rows:
        if row["status"] == "finished":
            row[f"test_mae_{info.unit}"] = row[info.error_column] * float(rng.uniform(0.97, 1.06))


def _add_latency(rows: list[dict[str, Any]], rng: np.random.Generator) -> None:
    """Every other finished trial, as if those were on the front."""
    for row in [row for row in rows if row["status"] == "finished"][::2]:
        for suffix, vgg_macs in (("", 0.82e9), ("_at_224", 15.47e9)):
            speedup = (vgg_macs / row[f"macs{suffix}"]) ** 0.75 * float(rng.uniform(0.9, 1.1))
            row[f"latency_ms_per_image{suffix}"] = vgg_macs / 4e7 / speedup
            row[f"speedup_vs_vgg16{suffix}"] = speedup
            row[f"speedup_vs_vgg16{suffix}_low"] = speedup * 0.93
            row[f"speedup_vs_vgg16{suffix}_high"] = speedup * 1.08


def _convolutions(widths: Sequence[int], depths: Sequence[int]) -> list[tuple[int, int, int]]:
    """(channels in, channels out, stage) of every convolution."""
    layers, entering = [], 3
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for _ in range(depth):
            layers.append((entering, width, stage))
            entering = width
    return layers


def _params(widths: Sequence[int], depths: Sequence[int]) -> int:
    layers = _convolutions(widths, depths)
    return sum(9 * a * b + 2 * b for a, b, _ in layers) + (widths[-1] + 1) * 101


def _macs(widths: Sequence[int], depths: Sequence[int], resolution: int) -> int:
    layers = _convolutions(widths, depths)
    return sum(9 * a * b * (resolution >> stage) ** 2 for a, b, stage in layers) + widths[-1] * 101
