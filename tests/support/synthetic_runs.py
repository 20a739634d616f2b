"""Builders of synthetic runs, written and read through ``suite.runs.tables``; no number in them was measured."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from suite.runs.info import CostRange, DataUsed, ReferenceNetwork, RunInfo, write_info
from suite.runs.tables import Run, epoch_row, read_run, trial_row, write_rows
from suite.trial import EpochResult, Metrics, Profile, Status, TrialConfig, TrialResult

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

    ``configs`` has fields to replace in the configurations of the first trials, one mapping per trial.
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


def _cost_ranges() -> dict[str, CostRange]:
    """The costs of a space from 4 channels in every stage to four times TinyAgeNet's."""
    ends = [((4,) * 5, (1,) * 5), ((64, 128, 256, 512, 512), (2, 2, 3, 3, 3))]
    params = [count_params(*end) for end in ends]
    macs = [count_macs(*end, 48) for end in ends]
    return {
        "params": CostRange(*params),
        "macs": CostRange(*macs),
        "bytes": CostRange(*(4 * count + 18_000 for count in params)),
    }


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
        cost_ranges=_cost_ranges(),
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
    vgg_convolutions = count_macs((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), 224) - 512 * 101
    vgg_linear = 25088 * 4096 + 4096 * 4096 + 4096 * 101
    scaled = round(vgg_convolutions * (resolution / 224) ** 2)
    vgg16 = ReferenceNetwork(
        "VGG-16", 134_674_341, scaled + vgg_linear, vgg_convolutions + vgg_linear, 134_674_341 * 4 + 2600
    )
    return [vgg16] + [
        ReferenceNetwork(
            name,
            count_params(widths, (2, 2, 3, 3, 3)),
            count_macs(widths, (2, 2, 3, 3, 3), resolution),
            count_macs(widths, (2, 2, 3, 3, 3), 224),
            4 * count_params(widths, (2, 2, 3, 3, 3)) + 18_000,
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
    smaller = max(math.log10(3e6 / count_params(config.widths, config.depths)), 0.0)
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
    params = count_params(config.widths, config.depths)
    profile = Profile(
        params=params,
        macs=count_macs(config.widths, config.depths, config.resolution),
        macs_at_224=count_macs(config.widths, config.depths, 224),
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


def count_params(widths: Sequence[int], depths: Sequence[int]) -> int:
    layers = _convolutions(widths, depths)
    return sum(9 * a * b + 2 * b for a, b, _ in layers) + (widths[-1] + 1) * 101


def count_macs(widths: Sequence[int], depths: Sequence[int], resolution: int) -> int:
    layers = _convolutions(widths, depths)
    return sum(9 * a * b * (resolution >> stage) ** 2 for a, b, stage in layers) + widths[-1] * 101


def with_compressed(run: Run) -> Run:
    """The run with a pruned trial of its first, and that in int8."""
    first = run.trials.iloc[0].to_dict()
    made = [
        {**first, "id": "t000-p1", "stage": "pruned", "parent": "t000", "params": 200_000, "bytes": 900_000},
        {
            **first,
            "id": "t000-p1-int8",
            "stage": "int8",
            "parent": "t000-p1",
            "params": 200_000,
            "bytes": 210_000,
        },
    ]
    return dataclasses.replace(run, trials=pd.concat([run.trials, pd.DataFrame(made)], ignore_index=True))


#: Parameters, the search's error, and the confirmed errors by seed; None: the training diverged.
Member = tuple[int, float, Mapping[int, float | None]]

#: By size. Of b the search was lucky: by its mean it is worse than the smaller a.
MEMBERS: Mapping[str, Member] = {
    "t000": (1000, 8.0, {1: 8.1, 2: 8.2, 3: 8.3}),
    "t001": (2000, 7.0, {1: 8.6, 2: 8.8, 3: 9.0}),
    "t002": (3000, 6.9, {1: 7.1, 2: 7.2, 3: 7.3}),
    "t003": (4000, 6.8, {1: 7.0, 2: 7.3, 3: 7.0}),
}


def confirmed_run(
    make_run: MakeRun, members: Mapping[str, Member] = MEMBERS, seeds: int = 3, **changes: Any
) -> Run:
    """A search of these members and of one trial that all of them dominate, and its confirmation."""
    search = {"name": "tiny", "seeds": 1, "confirm_seeds": seeds}
    count = len(members) + 1
    options: dict[str, Any] = {"objectives": ["val_mae", "params"], "search": search, **changes}
    run = make_run(trials=count, statuses=["finished"] * count, test=False, **options)
    unit = run.info.unit
    trials = run.trials.set_index("id", drop=False)
    trials[["params", run.info.error_column]] = [
        *((params, error) for params, error, _ in members.values()),
        (9000, 20.0),
    ]
    again = [
        {
            **trials.loc[member].to_dict(),
            "id": f"{member}-s{seed}",
            "stage": "confirm",
            "parent": member,
            "seed": seed,
            "status": "diverged" if error is None else "finished",
            "cause": "the loss is NaN" if error is None else "",
            run.info.error_column: math.nan if error is None else error,
            f"test_mae_{unit}": math.nan if error is None else error + 0.5,
        }
        for member, (_, _, errors) in members.items()
        for seed, error in errors.items()
    ]
    rows = [*trials.to_dict("records"), *again]
    return dataclasses.replace(run, trials=pd.DataFrame(rows).astype({"params": "Int64"}))


def with_groups(run: Run, bound: float | None = None) -> Run:
    """A run whose trials err by a year more for one group, the accurate ones by five years more."""
    trials = run.trials.copy()
    errors = trials["val_mae_years"].astype(float)
    trials["val_worst_group"] = "gender male"
    trials["val_worst_group_mae_years"] = errors + np.where(errors < errors.quantile(0.3), 5.0, 1.0)
    trials["val_worst_group_people"] = 31.0
    bounds = {} if bound is None else {"bounds": {"worst_group_mae": bound}}
    search = {**run.info.search, **bounds}
    return dataclasses.replace(run, trials=trials, info=dataclasses.replace(run.info, search=search))
