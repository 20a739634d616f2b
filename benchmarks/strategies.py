"""How many epochs each search strategy needs, replayed on the tabular benchmark within seconds.

A strategy is a sampler (random, TPE, NSGA-II) with an early-stopping rule (none, by error alone, by the front,
by forecast). Samplers, rules and the results reported to Optuna are those of ``suite.search``. Trainings are
looked up in ``tabular.parquet``, with one of two seeds at random. Each worker runs one training at a time,
epoch by epoch. All epochs cost the same whatever the network, which favours no size. "As drawn" trains a
repeated suggestion again; all others train a configuration once, as the suite does.

The front consists of trainings that ran to their end. Its hypervolume is in validation MAE and the logarithm of the
parameters, with the worst values in the table as the reference point. That of the whole grid is the maximum.

    python benchmarks/strategies.py [--seeds 20] [--workers 4] [--epochs 1440] [--json FILE]
"""

import argparse
import heapq
import json
import math
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
import pandas as pd
import yaml

from search_spaces import SearchSpace, load_dict
from suite.search.bounds import MOST_IN_A_ROW
from suite.search.stopping.early_stopping import stopping_of
from suite.search.study.proposals import AT_RANDOM_AFTER
from suite.search.study.repeats import tell_repeat, trained_before
from suite.search.study.results import tell, trial_id
from suite.search.study.samplers import make_sampler
from suite.search.study.study import ask
from suite.statistics.pareto import hypervolume

HERE = Path(__file__).parent
SAMPLERS = ("random", "tpe", "nsga2")
#: The stopping section of a search space, by the name of the row.
STOPPINGS: Mapping[str, Mapping[str, Any]] = {
    "none": {"rule": "none"},
    "error": {"rule": "error"},
    "error, rung 6, 1 in 2": {"rule": "error", "rungs": [6], "reduction_factor": 2},
    "front": {"rule": "front"},
    "front, rung 6, 1 in 2": {"rule": "front", "rungs": [6], "reduction_factor": 2},
    "forecast": {"rule": "forecast"},
}
AS_DRAWN = "none, as drawn"
ENOUGH = 0.95  # of the whole grid's hypervolume
COSTS = ("params", "macs", "bytes")


@dataclass(frozen=True)
class Training:
    """The results of one training."""

    errors: npt.NDArray[np.float64]  # (epochs,), validation MAE in years
    costs: Mapping[str, float]

    def losses(self, epoch: int) -> dict[str, float]:
        """Return the objectives by name after an epoch, counted from 1."""
        return {"val_mae": float(self.errors[epoch - 1]), **self.costs}


@dataclass(frozen=True)
class Table:
    """The tabular benchmark."""

    trainings: Mapping[tuple[Any, ...], Sequence[Training]]  # by widths, depths and lambda; one for each seed
    epochs: int
    corner: tuple[float, float]  # worst final error and logarithm of parameters

    @classmethod
    def read(cls, path: Path) -> "Table":
        """Read the table that ``tabular.py`` wrote."""
        rows = pd.read_parquet(path)
        trainings: dict[tuple[Any, ...], list[Training]] = {}
        for (*point, _), part in rows.groupby(["widths", "depths", "lambda_l1", "seed"]):
            costs = {name: float(part[name].iloc[0]) for name in COSTS}
            trainings.setdefault(tuple(point), []).append(
                Training(part["val_mae_years"].to_numpy(np.float64), costs)
            )
        last = rows[rows["epoch"] == rows["epoch"].max()]
        corner = float(last["val_mae_years"].max()), math.log(last["params"].max())
        return cls(trainings, int(rows["epoch"].max()), corner)

    def volume(self, finished: Sequence[Mapping[str, float]]) -> float:
        """Return the hypervolume of trainings that ran to their end."""
        points = [[losses["val_mae"], math.log(losses["params"])] for losses in finished]
        return hypervolume(np.array(points).reshape(-1, 2), self.corner)

    def whole(self) -> float:
        """Return the hypervolume of all trainings in the grid."""
        return self.volume([t.losses(self.epochs) for some in self.trainings.values() for t in some])


@dataclass
class Running:
    """A training in progress."""

    suggestion: optuna.Trial
    training: Training
    epoch: int = 0


@dataclass(frozen=True)
class Trace:
    """The growth of the hypervolume, as a share of the whole grid's."""

    spent: Sequence[int]  # epochs of all trainings together, when each training ended
    shares: Sequence[float]
    trained: int  # trainings started
    stopped: int

    def at(self, epochs: int) -> float:
        """Return the share after a number of epochs."""
        return max((s for e, s in zip(self.spent, self.shares, strict=True) if e <= epochs), default=0.0)

    def needed(self, share: float) -> float:
        """Return the epochs until a share is reached; infinity where it never is."""
        return next((e for e, s in zip(self.spent, self.shares, strict=True) if s >= share), math.inf)


def space_of(sampler: str, stopping: Mapping[str, Any], trials: int) -> SearchSpace:
    """Return the search space of the grid with a strategy."""
    document = yaml.safe_load((HERE / "tabular.yaml").read_text(encoding="utf-8"))
    document |= {"sampler": sampler, "seeds": 1, "trials": trials, "stopping": dict(stopping)}
    return load_dict(document, where="tabular.yaml")


def suggested(study: optuna.Study, space: SearchSpace, once: bool) -> optuna.Trial | None:
    """Return the next suggestion; with ``once``, of a configuration that is new, or None if none is found."""
    for repeats in range(MOST_IN_A_ROW):
        suggestion = ask(study, space, at_random=repeats >= AT_RANDOM_AFTER)
        before = trained_before(study, suggestion.params, suggestion.number) if once else None
        if before is None:
            return suggestion
        tell_repeat(study, suggestion, before, trial_id(before.number))
    return None


def replay(
    table: Table, space: SearchSpace, seed: int, workers: int, budget: int, once: bool = True
) -> Trace:
    """Search until the budget of epochs is spent or every configuration is trained."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study(
        directions=["minimize"] * len(space.objectives),
        sampler=make_sampler(space, seed=seed, concurrent=workers),
    )
    study.set_metric_names(list(space.objectives))
    stopping = stopping_of(space)
    whole, spent, trained, stopped = table.whole(), 0, 0, 0
    finished: list[Mapping[str, float]] = []
    trace: list[tuple[int, float]] = []
    # Workers by the time at which their next epoch ends; of equal ones, the one that waits longest.
    under_way: list[tuple[int, int, Running]] = []

    def begin(clock: int) -> None:
        nonlocal trained
        if (suggestion := suggested(study, space, once)) is None:
            return
        seeds = table.trainings[tuple(suggestion.params[name] for name in ("widths", "depths", "lambda_l1"))]
        trained += 1
        heapq.heappush(
            under_way, (clock + 1, trained, Running(suggestion, seeds[int(rng.integers(len(seeds)))]))
        )

    for _ in range(workers):
        begin(0)
    while spent < budget and under_way:
        clock, order, running = heapq.heappop(under_way)
        running.epoch += 1
        spent += 1
        losses = running.training.losses(running.epoch)
        name = trial_id(running.suggestion.number)
        stops = stopping is not None and stopping.why_stop(name, running.epoch, losses) is not None
        if running.epoch == table.epochs:
            finished.append(losses)
            trace.append((spent, table.volume(finished) / whole))
            tell(study, running.suggestion, _row("finished", losses))
            begin(clock)
            continue
        if stops:
            stopped += 1
            tell(study, running.suggestion, _row("stopped", losses))
            begin(clock)
        else:
            heapq.heappush(under_way, (clock + 1, order, running))
    return Trace([e for e, _ in trace], [share for _, share in trace], trained, stopped)


def _row(status: str, losses: Mapping[str, float]) -> Mapping[str, Any]:
    """The results for the study, as in a row of ``trials.parquet``."""
    costs = {name: losses[name] for name in COSTS}
    return {"status": status, "attribute": "age", "val_mae_years": losses["val_mae"], **costs}


@dataclass(frozen=True)
class Result:
    """The results of a strategy over all seeds."""

    sampler: str
    rule: str
    needed: Sequence[float]  # epochs to reach ENOUGH, by seed; infinity where it was not
    shares: Mapping[int, Sequence[float]]  # of the whole grid's hypervolume, by epochs spent
    trained: float  # trainings started, mean
    stopped: float  # share of them that a rung stopped, mean

    @property
    def median_needed(self) -> float:
        """The median over the seeds, infinite values included."""
        return statistics.median(self.needed)


def measure(table: Table, seeds: int, workers: int, budget: int) -> list[Result]:
    """Measure every strategy with the same seeds."""
    results = []
    checkpoints = [budget // 8, budget // 4, budget // 2, budget]
    for sampler in SAMPLERS:
        for rule, stopping in {AS_DRAWN: STOPPINGS["none"], **STOPPINGS}.items():
            space = space_of(sampler, stopping, trials=budget // table.epochs)
            once = rule != AS_DRAWN
            traces = [replay(table, space, seed, workers, budget, once) for seed in range(seeds)]
            results.append(
                Result(
                    sampler,
                    rule,
                    [trace.needed(ENOUGH) for trace in traces],
                    {epochs: [trace.at(epochs) for trace in traces] for epochs in checkpoints},
                    statistics.mean(trace.trained for trace in traces),
                    statistics.mean(trace.stopped / trace.trained for trace in traces),
                )
            )
            print(_line(results[-1]), flush=True)
    return results


def _line(result: Result) -> str:
    reached = sum(math.isfinite(epochs) for epochs in result.needed)
    low, middle, high = (
        f"{epochs:,.0f}" if math.isfinite(epochs) else "more"
        for epochs in (min(result.needed), result.median_needed, max(result.needed))
    )
    needed = f"{middle} ({low} to {high})" if reached else "more"
    shares = " | ".join(f"{statistics.mean(share):.1%}" for share in result.shares.values())
    return (
        f"| {result.sampler} | {result.rule} | {needed} | {reached} of {len(result.needed)} "
        f"| {shares} | {result.trained:.0f}, {result.stopped:.0%} stopped |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=Path, default=HERE / "tabular.parquet")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=1440, help="spent by each search; default 1440")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    table = Table.read(options.table)
    checkpoints = [options.epochs // 8, options.epochs // 4, options.epochs // 2, options.epochs]
    after = " | ".join(f"after {epochs:,}" for epochs in checkpoints)
    print(f"| sampler | stopping | epochs to {ENOUGH:.0%} (seeds) | reached | {after} | trainings |")
    print("|---|---|---|---|" + "---|" * (len(checkpoints) + 1))
    results = measure(table, options.seeds, options.workers, options.epochs)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
