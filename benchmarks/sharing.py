"""What one elastic training gives, beside searches that train each network alone, on the tabular benchmark's setting.

Each seed trains an elastic network of all widths and depths of ``tabular.yaml``'s grid, each stage by itself. NSGA-II
scores slices, and members of their front are fine-tuned. The hypervolume is that of ``strategies.py``: validation MAE
and the logarithm of the parameters, the worst values of the table as the reference point, as a share of that of the
whole grid (2,880 epochs of networks trained). An elastic epoch counts as ``2 + random_slices`` epochs.

    python benchmarks/sharing.py [--seeds 5] [--alone] [--json FILE]
"""

import argparse
import dataclasses
import json
import statistics
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import torch
import yaml
from strategies import HERE, STOPPINGS, Table, replay, space_of

from search_spaces import SearchSpace, Value, load_dict
from suite.api import load_data
from suite.data.dataset import Dataset
from suite.presets import Architecture
from suite.runs.scored_slices import ScoredSlice, scored_front, spread
from suite.search.costs import cost
from suite.search.sharing.elastic_training import architecture_of, elastic_proposal
from suite.search.study.slices import Losses, walk
from suite.search.trial_factory import TrialFactory
from suite.training.elastic import ElasticFit, ElasticSpace, Sharing, fit_elastic
from suite.training.fit import fit
from suite.trial import TrialConfig

#: Strategies of ``strategies.py`` that the table has beside sharing: a sampler and a stopping rule.
ALONE = (("random", "none"), ("tpe", "none"), ("tpe", "forecast"))


@dataclass(frozen=True)
class Setting:
    """How an elastic training is made, and its slices are fine-tuned."""

    epochs: int
    rate: float
    random_slices: int
    distillation: float
    candidates: int
    fine_tuned: int
    fine_tuning_epochs: int
    fine_tuning_rate: float
    lambda_l1: float


@dataclass(frozen=True)
class Member:
    """A network of the front."""

    widths: Sequence[int]
    depths: Sequence[int]
    params: int
    sliced: float  # validation MAE in years: as the slice is,
    fine_tuned: float  # after its fine-tuning,
    alone: float | None  # and trained alone for as many epochs as the grid's networks


@dataclass(frozen=True)
class Result:
    """What one seed gave."""

    seed: int
    members: Sequence[Member]
    sliced_share: float  # of the whole grid's hypervolume, before the fine-tuning
    share: float  # and after it
    epochs: int  # of networks trained
    weighted_epochs: float  # by multiply-adds; the grid's mean network counts 1
    seconds: Mapping[str, float]  # of one core


def sharing_space(setting: Setting, seed: int) -> SearchSpace:
    """Return the space of all widths and depths that the grid has, each stage by itself."""
    document = yaml.safe_load((HERE / "tabular.yaml").read_text(encoding="utf-8"))
    grid = document["vary"]
    document["vary"] = {
        field: [{"choices": sorted(set(choices))} for choices in zip(*grid[field]["choices"], strict=True)]
        for field in ("widths", "depths")
    }
    document["vary"] = {
        field: [stage if len(stage["choices"]) > 1 else stage["choices"][0] for stage in stages]
        for field, stages in document["vary"].items()
    }
    document["base"] |= {"lambda_l1": setting.lambda_l1}
    document |= {
        "sampler": "nsga2",
        "seed": seed,
        "seeds": 1,
        "trials": 1,
        "sharing": {
            "epochs": setting.epochs,
            "learning_rate": setting.rate,
            "random_slices": setting.random_slices,
            "distillation": setting.distillation,
            "candidates": setting.candidates,
        },
    }
    return load_dict(document, where="tabular.yaml")


def measure(setting: Setting, table: Table, alone: bool, seed: int) -> Result:
    """Train an elastic network, score its slices and fine-tune members of their front, on one core."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = sharing_space(setting, seed)
    data = load_data(space.data, resolution=space.base.resolution)
    trials = TrialFactory(space, data.label_range)
    began = time.perf_counter()
    training, elastic = _trained(trials, data, seed)
    trained = time.perf_counter()
    slices = _scored(training, trials, setting.candidates)
    scored = time.perf_counter()
    front = spread(scored_front(slices, space.objectives), setting.fine_tuned)
    alone_epochs = table.epochs if alone else 0
    members = [_member(training, trials, data, setting, one, alone_epochs) for one in front]
    tuned = time.perf_counter()
    points = [(one.val_mae, one.params) for one in slices]
    better = [(member.fine_tuned, member.params) for member in members]
    tuning = setting.fine_tuning_epochs * len(members)
    weighted = elastic + setting.fine_tuning_epochs * sum(one.macs for one in front)
    return Result(
        seed,
        members,
        _share(table, points),
        _share(table, points + better),
        setting.epochs * (2 + setting.random_slices) + tuning,
        weighted / _mean_macs(table),
        {"elastic": trained - began, "scores": scored - trained, "fine-tuning": tuned - scored},
    )


def _trained(trials: TrialFactory, data: Dataset, seed: int) -> tuple[ElasticFit, float]:
    """Return a finished elastic training, and the multiply-adds of its networks and epochs."""
    proposal = elastic_proposal(trials, seed)
    assert proposal.elastic is not None
    elastic = proposal.elastic
    space = ElasticSpace(elastic.widths, elastic.depths)
    sharing = Sharing(elastic.random_slices, elastic.distillation, elastic.recalibration_images)
    training = fit_elastic(proposal.config, space, data, sharing, threads=1)
    for _ in training:
        pass
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [_macs(proposal.config, training.label_set.bins, space.draw()) for _ in range(200)]
    ends = [_macs(proposal.config, training.label_set.bins, end) for end in (space.largest, space.smallest)]
    return training, proposal.config.epochs * (sum(ends) + elastic.random_slices * statistics.mean(drawn))


def _macs(config: TrialConfig, bins: int, architecture: Architecture) -> int:
    return cost(
        dataclasses.replace(config, widths=architecture.widths, depths=architecture.depths), bins, "macs"
    )


def _scored(training: ElasticFit, trials: TrialFactory, candidates: int) -> list[ScoredSlice]:
    known: dict[Architecture, ScoredSlice] = {}

    def losses(points: Sequence[Mapping[str, Value]]) -> Iterator[Losses]:
        for point in points:
            config = trials.config(point)
            architecture = architecture_of(config)
            if architecture not in known:
                costs = (cost(config, training.label_set.bins, name) for name in ("params", "macs", "bytes"))
                known[architecture] = ScoredSlice(architecture, training.evaluate(architecture).mae, *costs)
            yield known[architecture].losses(trials.space.objectives)

    for _ in walk(trials.space, lambda points: list(losses(points))):
        if len(known) >= candidates:
            break
    return list(known.values())


def _member(
    training: ElasticFit,
    trials: TrialFactory,
    data: Dataset,
    setting: Setting,
    one: ScoredSlice,
    alone_epochs: int,
) -> Member:
    widths, depths = one.architecture.widths, one.architecture.depths
    config = dataclasses.replace(training.config, widths=widths, depths=depths)
    tuning = dataclasses.replace(
        config, epochs=setting.fine_tuning_epochs, learning_rate=setting.fine_tuning_rate
    )
    scratch = dataclasses.replace(config, epochs=alone_epochs, learning_rate=trials.space.base.learning_rate)
    return Member(
        widths,
        depths,
        one.params,
        one.val_mae,
        _last_error(tuning, data, training.slice(one.architecture)),
        _last_error(scratch, data, None) if alone_epochs else None,
    )


def _last_error(config: TrialConfig, data: Dataset, network: torch.nn.Module | None) -> float:
    *_, last = fit(config, data, threads=1, network=network)
    return last.validation.mae


def _share(table: Table, points: Sequence[tuple[float, int]]) -> float:
    losses = [{"val_mae": error, "params": float(params)} for error, params in points]
    return table.volume(losses) / table.whole()


def _mean_macs(table: Table) -> float:
    return statistics.mean(one.costs["macs"] for some in table.trainings.values() for one in some)


def describe(results: Sequence[Result], table: Table, replays: int) -> Iterator[str]:
    """Yield the lines of the tables."""
    epochs = results[0].epochs
    yield "| | epochs | weighted by multiply-adds | share of the grid's hypervolume: mean | lowest | highest |"
    yield "|---|---|---|---|---|---|"
    whole, tuned = [one.sliced_share for one in results], [one.share for one in results]
    weights = statistics.mean(one.weighted_epochs for one in results)
    yield f"| slices as they are | | | {_spread(whole)} |"
    yield f"| and members fine-tuned | {epochs} | {weights:.0f} | {_spread(tuned)} |"
    for sampler, rule in ALONE:
        space = space_of(sampler, STOPPINGS[rule], trials=epochs // table.epochs)
        shares = [replay(table, space, seed, 4, epochs).at(epochs) for seed in range(replays)]
        yield f"| {sampler}, stopping {rule} ({replays} seeds) | {epochs} | | {_spread(shares)} |"
    yield ""
    yield "| seed | share | network | parameters | sliced | fine-tuned | alone |"
    yield "|---|---|---|---|---|---|---|"
    for one in results:
        for member in one.members:
            alone = "" if member.alone is None else f"{member.alone:.2f}"
            shape = f"{_joined(member.widths)} / {_joined(member.depths)}"
            errors = f"{member.sliced:.2f} | {member.fine_tuned:.2f} | {alone}"
            yield f"| {one.seed} | {one.share:.1%} | {shape} | {member.params:,} | {errors} |"
    seconds = {name: statistics.mean(one.seconds[name] for one in results) for name in results[0].seconds}
    yield ""
    yield (
        ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
        + " of one core, mean of the seeds"
    )


def _spread(shares: Sequence[float]) -> str:
    return f"{statistics.mean(shares):.1%} | {min(shares):.1%} | {max(shares):.1%}"


def _joined(numbers: Sequence[int]) -> str:
    return "-".join(map(str, numbers))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=27, help="of the elastic training")
    parser.add_argument("--rate", type=float, default=0.01, help="its learning rate")
    parser.add_argument("--random-slices", type=int, default=2)
    parser.add_argument("--distillation", type=float, default=0.5)
    parser.add_argument("--candidates", type=int, default=400, help="slices scored")
    parser.add_argument("--fine-tuned", type=int, default=8, help="members of the scored front")
    parser.add_argument("--fine-tuning-epochs", type=int, default=6)
    parser.add_argument("--fine-tuning-rate", type=float, default=0.006)
    parser.add_argument("--lambda-l1", type=float, default=0.01)
    parser.add_argument("--replays", type=int, default=20, help="seeds of the searches without sharing")
    parser.add_argument("--alone", action="store_true", help="train the members alone, too")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at a time, each on one core")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    setting = Setting(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Setting)})
    table = Table.read(HERE / "tabular.parquet")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with ProcessPoolExecutor(options.jobs) as pool:
        results = []
        for result in pool.map(partial(measure, setting, table, options.alone), seeds):
            results.append(result)
            print(f"seed {result.seed}: {result.sliced_share:.1%}, then {result.share:.1%}", flush=True)
    print("\n".join(describe(results, table, options.replays)))
    if options.json:
        document: dict[str, Any] = {"setting": asdict(setting), "results": [asdict(one) for one in results]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
