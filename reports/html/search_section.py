"""How the search went: what mattered, what early stopping cost and saved, what failed."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.formatting import count
from reports.html.templating import render
from reports.model.confirmation import Training
from reports.model.trials import FrontSummary, Trial

#: With fewer finished trials per dimension than this, the importances are called rough.
ENOUGH_PER_DIMENSION = 10
#: At most this many trials with the same cause are named; the others are counted.
NAMED = 10


@dataclass(frozen=True)
class FailureGroup:
    """Trials that ended in the same way."""

    status: str
    cause: str
    trials: int
    named: Sequence[Trial | Training]
    further: int  # how many are not named
    epochs: str


def importance_table(summary: FrontSummary, importance: Mapping[str, float], dimensions: int) -> Markup:
    """Render the share of each dimension by PED-ANOVA, or why there is none."""
    finished = summary.count("finished")
    return render(
        "importance",
        shares=sorted(importance.items(), key=lambda item: -item[1]),
        finished=finished,
        dimensions=dimensions,
        rough=finished < ENOUGH_PER_DIMENSION * dimensions,
    )


def stopping(summary: FrontSummary) -> Markup:
    """Render what stopped trials cost and saved; empty if none was stopped."""
    stopped = [trial for trial in summary.trials if trial.status == "stopped"]
    at = Counter(trial.epochs_run for trial in stopped)
    cost = math.fsum(trial.seconds for trial in stopped if math.isfinite(trial.seconds))
    whole = math.fsum(trial.seconds for trial in summary.trials if math.isfinite(trial.seconds))
    return render(
        "stopping",
        stopped=len(stopped),
        rungs=", ".join(f"{at[epoch]:,} after epoch {epoch}" for epoch in sorted(at)),
        cost=cost,
        share=f"{cost / whole:.0%}" if whole > 0 else "",
        saved=math.fsum(_saved(trial) for trial in stopped),
    )


def _saved(trial: Trial) -> float:
    """Return the seconds that the remaining epochs of a stopped trial would have taken."""
    if trial.epochs_run < 1 or not math.isfinite(trial.seconds):
        return 0.0
    return trial.seconds / trial.epochs_run * max(trial.recipe.epochs - trial.epochs_run, 0)


def failures(summary: FrontSummary) -> Markup:
    """Render trials without a result by cause, the most frequent first."""
    again = [t for confirmed in summary.confirmations.values() for t in confirmed.trainings]
    ended: tuple[Trial | Training, ...] = (*summary.trials, *summary.compressed, *again)
    lost = [trial for trial in ended if not trial.finished and trial.status != "stopped"]
    by_cause: dict[tuple[str, str], list[Trial | Training]] = {}
    for trial in lost:
        by_cause.setdefault((trial.status, trial.cause), []).append(trial)
    return render(
        "failures",
        groups=[
            FailureGroup(
                status, cause, len(trials), trials[:NAMED], max(len(trials) - NAMED, 0), _epochs(trials)
            )
            for (status, cause), trials in sorted(by_cause.items(), key=lambda item: -len(item[1]))
        ],
        stopped=summary.count("stopped"),
        tracebacks=any(trial.status == "failed" for trial in lost),
    )


def _epochs(trials: Iterable[Trial | Training]) -> str:
    epochs = sorted({trial.epochs_run for trial in trials})
    if len(epochs) == 1:
        return count(epochs[0], "epoch")
    return f"{epochs[0]} to {epochs[-1]} epochs"
