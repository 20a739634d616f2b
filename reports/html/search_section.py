"""The section that tells how the search went: what mattered, what stopping came to, what failed."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape

from reports import formatting
from reports.html.markup import count, scrolling
from reports.model.confirmation import Training
from reports.model.trials import FrontSummary, Trial

#: Fewer finished trials a dimension than this, and the importances are called rough.
ENOUGH_A_DIMENSION = 10
#: So many trials are named that ended by the same cause; of the others their number is told.
NAMED = 10


def importance_table(summary: FrontSummary, importance: Mapping[str, float], dimensions: int) -> str:
    """The share of each dimension by PED-ANOVA, or why there is none."""
    finished = summary.count("finished")
    if not importance:
        return (
            "<p>How much each dimension mattered was not worked out: it takes eight finished trials, two "
            "dimensions that varied, and <code>suite report</code>.</p>"
        )
    few = ""
    if finished < ENOUGH_A_DIMENSION * dimensions:
        few = (
            f'<p class="banner"><b>A rough guide only:</b> {count(finished, "finished trial")} for '
            f"{count(dimensions, 'dimension')}. With so few, another seed may turn the order round.</p>"
        )
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{100 * share:.0f}\u00a0%</td>'
        f'<td class="text"><meter min="0" max="1" value="{share:.3f}" aria-label="share of {escape(name)}">'
        f"</meter></td></tr>"
        for name, share in sorted(importance.items(), key=lambda item: -item[1])
    )
    heads = '<th scope="col">dimension</th><th scope="col">share</th><th scope="col">of the whole</th>'
    return (
        "<p>What tells the best tenth of the finished trials, by validation error alone, from all of them "
        "(PED-ANOVA; Watanabe, Bansal and Hutter 2023). It says where the good trials lie, not why.</p>"
        + few
        + scrolling("Importance of the dimensions", f'<table class="narrow"><thead><tr>{heads}</tr></thead>'
                    f"<tbody>{rows}</tbody></table>")
    )  # fmt: skip


def stopping(summary: FrontSummary) -> str:
    """What stopped trials cost and what they saved; empty where none was stopped."""
    stopped = [trial for trial in summary.trials if trial.status == "stopped"]
    if not stopped:
        return ""
    at = Counter(trial.epochs_run for trial in stopped)
    rungs = ", ".join(f"{at[epoch]:,} after epoch {epoch}" for epoch in sorted(at))
    cost = math.fsum(trial.seconds for trial in stopped if math.isfinite(trial.seconds))
    saved = math.fsum(_saved(trial) for trial in stopped)
    whole = math.fsum(trial.seconds for trial in summary.trials if math.isfinite(trial.seconds))
    share = f" ({cost / whole:.0%} of the time of all trials)" if whole > 0 else ""
    return (
        f"<p>{count(len(stopped), 'trial')} stopped early, as the search space asks ({rungs}): the table of "
        f"trials has the place that each had among those that had come as far. They cost "
        f"<b>{formatting.duration(cost)}</b>{share}; trained to their ends at the same pace they would have "
        f"cost <b>{formatting.duration(saved)}</b> more. Their errors are those of a training cut short, so "
        f"none is on the front.</p>"
    )


def _saved(trial: Trial) -> float:
    """Seconds that the epochs which a stopped trial was spared would have taken."""
    if trial.epochs_run < 1 or not math.isfinite(trial.seconds):
        return 0.0
    return trial.seconds / trial.epochs_run * max(trial.recipe.epochs - trial.epochs_run, 0)


def failures(summary: FrontSummary) -> str:
    """Trials without a result, by cause."""
    again = [t for confirmed in summary.confirmations.values() for t in confirmed.trainings]
    ended: tuple[Trial | Training, ...] = (*summary.trials, *summary.compressed, *again)
    lost = [trial for trial in ended if not trial.finished and trial.status != "stopped"]
    if not lost:
        others = "other " if summary.count("stopped") else ""
        return f"<p>None: every {others}trial that ended, finished.</p>"
    by_cause: dict[tuple[str, str], list[Trial | Training]] = {}
    for trial in lost:
        by_cause.setdefault((trial.status, trial.cause), []).append(trial)
    items = "".join(
        f"<li>{_named(trials)} {escape(status)} after {_epochs(trials)}: "
        f"{escape(cause or 'no cause was recorded')}</li>"
        for (status, cause), trials in sorted(by_cause.items(), key=lambda item: -len(item[1]))
    )
    traces = ""
    if any(trial.status == "failed" for trial in lost):
        traces = (
            "<p>The traceback of each failed trial is in the run's folder: <code>failures/ID.txt</code>.</p>"
        )
    return f"<ul>{items}</ul>{traces}"


def _named(trials: list[Trial | Training]) -> str:
    names = ", ".join(f"<b>{escape(trial.id)}</b>" for trial in trials[:NAMED])
    if len(trials) <= NAMED:
        return names
    return f"{len(trials):,} trials ({names} and {len(trials) - NAMED:,} others, in the table)"


def _epochs(trials: Iterable[Trial | Training]) -> str:
    epochs = sorted({trial.epochs_run for trial in trials})
    if len(epochs) == 1:
        return count(epochs[0], "epoch")
    return f"{epochs[0]} to {epochs[-1]} epochs"
