"""The request of a run: search space, trials, sampler and data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from markupsafe import Markup

from reports.formatting import count, error_with_unit, objective, span
from reports.html.limits import limits
from reports.html.templating import render
from reports.html.yaml_text import one_line
from reports.model.confirmation import procedure_in_words, seeds_asked
from reports.model.shared_weights import SharedWeights
from reports.model.training_length import epochs_in_words
from reports.model.trials import FrontSummary
from suite.runs.info import RunInfo

#: Samplers that learn from results. The page mentions the count from this many known results on.
LEARNING, ENOUGH = ("tpe", "nsga2"), 8


@dataclass(frozen=True)
class Confirmation:
    """The trainings that confirm the front, counted."""

    members: int
    beside: int  # trials that are not on the search's front
    length: str  # of each training
    seeds: int  # of each member
    finished: int
    lost: int  # without a result
    how: str  # by which procedure, where weights are shared


def request_section(info: RunInfo, summary: FrontSummary, shared: SharedWeights | None = None) -> Markup:
    """Render the request, the data and the run's limitations."""
    search = info.search
    vary: Mapping[str, Any] = search.get("vary") or {}
    name = str(search.get("name") or info.search_file)
    return render(
        "request",
        info=info,
        search=f"{name}: {search.get('description') or ''}".removesuffix(": "),
        objectives=", ".join(objective(name, info.unit) for name in info.objectives),
        bound=error_with_unit(info.worst_group_bound, info.unit) if info.most else "",
        vary=[(name, in_words(varied)) for name, varied in vary.items()],
        trials=_ended(info, summary),
        confirmation=_confirmation(info, summary),
        sampler=one_line(search.get("sampler", "not recorded")) + _informed(info, summary),
        images=_images(info, summary),
        limits=limits(info, summary, shared.missing if shared else ""),
    )


def in_words(varied: Any) -> str:
    """Describe the values of a dimension: "4 to 20 in steps of 4"; with a range per stage, "1 to 2 | 1 to 3"."""
    if isinstance(varied, list | tuple):
        return " | ".join(map(in_words, varied))
    if not isinstance(varied, Mapping):
        return one_line(varied)
    if "choices" in varied:
        return "one of " + ", ".join(_choice(choice) for choice in varied["choices"])
    if not {"low", "high"} <= varied.keys():
        return one_line(varied)
    step = varied.get("step", 1)
    steps = f" in steps of {step}" if step != 1 else ""
    log = ", by logarithm" if varied.get("log") else ""
    return f"{_value_text(varied['low'])} to {_value_text(varied['high'])}{steps}{log}"


def _choice(choice: Any) -> str:
    return "-".join(map(str, choice)) if isinstance(choice, list | tuple) else _value_text(choice)


def _value_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)


def _informed(info: RunInfo, summary: FrontSummary) -> str:
    """Describe how many results the sampler knew; its random first suggestions do not count."""
    if info.search.get("sampler") == "grid":
        return "; every combination is trained, as far as trials were asked for, and none is drawn by results"
    if info.search.get("sampler") not in LEARNING:
        return ""
    known = [t.trials_known for t in summary.trials if math.isfinite(t.trials_known)]
    enough = [results for results in known if results >= ENOUGH]
    start = "; its first suggestions are given or drawn at random"
    if not enough:
        return start
    return (
        f"{start}; {len(enough):,} of {count(len(known), 'trial')} were suggested knowing {ENOUGH} results "
        f"or more (median {median(enough):,.0f})"
    )


def _ended(info: RunInfo, summary: FrontSummary) -> str:
    words = {"finished": "finished", "stopped": "stopped early", "diverged": "diverged", "failed": "failed"}
    counts = ", ".join(
        f"{summary.count(status):,} {word}"
        for status, word in words.items()
        if status != "stopped" or summary.count(status)
    )
    outside = f"; {info.out_of_bounds:,} out of bounds and not trained" if info.out_of_bounds else ""
    again = f"; {info.repeats:,} suggested again and not trained twice" if info.repeats else ""
    asked_for = f"{len(summary.trials):,} of {info.trials_asked:,} asked for"
    return f"{asked_for}: {counts}; {len(summary.front)} on the front{outside}{again}"


def _confirmation(info: RunInfo, summary: FrontSummary) -> Confirmation | None:
    """Count the confirming trainings; None if none were requested."""
    seeds = seeds_asked(info)
    if seeds == 1:
        return None
    ended = [t for confirmed in summary.confirmations.values() for t in confirmed.trainings]
    finished = sum(training.finished for training in ended)
    members = len(summary.searched_front)
    return Confirmation(
        members,
        len(summary.selected) - members,
        _length(info, summary),
        seeds,
        finished,
        len(ended) - finished,
        procedure_in_words(info),
    )


def _length(info: RunInfo, summary: FrontSummary) -> str:
    """Return the epochs of the trainings that confirm, without those of an elastic training."""
    epochs = (info.confirming_epochs(trial.recipe.epochs) for trial in summary.selected)
    return epochs_in_words(epochs) or "no training"


def _images(info: RunInfo, summary: FrontSummary) -> str:
    data = info.data
    return (
        f"{span(summary.train_images)} for training, {data.val_images:,} for validation, "
        f"{data.test_images:,} for the test; {span(summary.resolutions)}\u00a0px a side"
    )
