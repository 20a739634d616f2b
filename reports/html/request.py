"""What a run was asked to do and on what, as HTML; whatever comes from the run is escaped."""

import math
from collections.abc import Mapping
from html import escape
from statistics import median
from typing import Any

from reports.formatting import span
from reports.html.limits import limits
from reports.html.markup import count, definitions, inline, mae
from reports.model.confirmation import seeds_asked
from reports.model.trials import FrontSummary
from suite.runs.info import RunInfo

#: Samplers that go by the results they know, and from how many results on that is worth a word.
LEARNING, ENOUGH = ("tpe", "nsga2"), 8


def asked(info: RunInfo, summary: FrontSummary) -> str:
    """The request, the data, and every way in which the run fell short of the full task."""
    data, search = info.data, info.search
    vary: Mapping[str, Any] = search.get("vary") or {}
    objectives = ", ".join(f"validation MAE ({info.unit})" if o == "val_mae" else o for o in info.objectives)
    name = str(search.get("name") or info.search_file)
    rows = [
        ("Search", escape(f"{name}: {search.get('description') or ''}".removesuffix(": "))),
        ("Objectives", escape(objectives) + ", all minimised"),
        ("Varied", f"{count(len(vary), 'field')}{_varied(vary)}"),
    ]
    right = [
        ("Trials", _ended(info, summary)),
        *_confirmation(info, summary),
        ("Sampler", escape(inline(search.get("sampler", "not recorded"))) + _informed(info, summary)),
        ("Seed", f"{info.seed}; {info.max_concurrent} trials at a time"),
        ("Data", f"<b>{escape(data.name)}</b>: {escape(data.origin)}"),
        ("Attribute", f"{escape(info.attribute)}, in {info.unit}"),
        ("Images", _images(info, summary)),
        ("Protocol", escape(data.protocol)),
        ("A constant", f"predicting the median training label is off by {mae(data.constant_val_mae, info)}"),
    ]
    notes = "".join(f"<li>{note}</li>" for note in limits(info, summary))
    both = f'<div class="pair">{definitions(rows)}{definitions(right)}</div>'
    return f'{both}<h3>Read it with this in mind</h3><ul class="notes">{notes}</ul>'


def in_words(varied: Any) -> str:
    """What a field may be, not escaped: "4 to 20 in steps of 4"; a range a stage, "1 to 2 | 1 to 3"."""
    if isinstance(varied, list | tuple):
        return " | ".join(map(in_words, varied))
    if not isinstance(varied, Mapping):
        return inline(varied)
    if "choices" in varied:
        return "one of " + ", ".join(_choice(choice) for choice in varied["choices"])
    if not {"low", "high"} <= varied.keys():
        return inline(varied)
    step = varied.get("step", 1)
    steps = f" in steps of {step}" if step != 1 else ""
    log = ", by logarithm" if varied.get("log") else ""
    return f"{_plain(varied['low'])} to {_plain(varied['high'])}{steps}{log}"


def _choice(choice: Any) -> str:
    return "-".join(map(str, choice)) if isinstance(choice, list | tuple) else _plain(choice)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)


def _varied(vary: Mapping[str, Any]) -> str:
    items = "".join(
        f"<li><code>{escape(str(name))}</code> {escape(in_words(varied))}</li>"
        for name, varied in vary.items()
    )
    return f'<ul class="plain">{items}</ul>' if items else ""


def _informed(info: RunInfo, summary: FrontSummary) -> str:
    """What the sampler knew; its first suggestions need no results, so they are not in the median."""
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


def _confirmation(info: RunInfo, summary: FrontSummary) -> list[tuple[str, str]]:
    """How often the front was trained again; nothing where that was not asked for."""
    seeds = seeds_asked(info)
    if seeds == 1:
        return []
    ended = [t for confirmed in summary.confirmations.values() for t in confirmed.trainings]
    finished = sum(training.finished for training in ended)
    members = count(len(summary.searched_front), "member")
    return [
        ("Confirmation", f"{members} of the search's front, {seeds} seeds each: {finished} finished, "
         f"{len(ended) - finished} without a result"),
    ]  # fmt: skip


def _images(info: RunInfo, summary: FrontSummary) -> str:
    data = info.data
    return (
        f"{span(summary.train_images)} for training, {data.val_images:,} for validation, "
        f"{data.test_images:,} for the test; {span(summary.resolutions)}\u00a0px a side"
    )
