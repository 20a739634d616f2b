"""The answer: which network to ship. The page's script updates it for the limits that a reader sets."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from reports import formatting
from reports.html.templating import render
from reports.model.networks import compared_networks
from reports.model.timing import conditions
from reports.model.training_length import training_length
from reports.model.trials import FrontSummary, Trial
from reports.model.unconfirmed import Unconfirmed
from reports.model.within_tolerance import Verdict
from suite.runs.info import RunInfo

#: What the form can choose for among the networks within the limits, by column of the page's trials.
TAKES = (
    ("error", "the lowest error"),
    ("worst", "the lowest error of the worst group"),
    ("params", "the fewest parameters"),
    ("macs", "the fewest multiply-adds"),
    ("bytes", "the fewest bytes"),
    ("ms", "the lowest latency"),
)


@dataclass(frozen=True)
class Limit:
    """A limit of the form: on a column of the page's trials, or the tolerance."""

    column: str
    label: str
    unit: str = ""
    example: str = "none"
    value: str = ""  # that the form begins with, and has again when it is reset


@dataclass(frozen=True)
class Tile:
    """A trial under its titles, with further lines of text."""

    title: str
    trial: Trial
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Within:
    """The smallest network within a tolerance of the best, and what the run could have seen."""

    choice: Trial | None
    new_seeds: int
    against: str
    behind: str  # at most
    tolerance: str
    detectable: str  # empty: no difference


def limits_form(info: RunInfo, summary: FrontSummary, found: Verdict | None) -> Markup:
    """Render the form of limits, hidden until the script that applies them runs.

    With a verdict on confirmed members, it has their distance from the best as well; where the data names groups of
    people, the error of the worst one.
    """
    groups = any(trial.worst_group for trial in summary.trials)
    limits = (
        Limit("error", "Validation MAE at most", info.unit),
        *([Limit("worst", "Of the worst group at most", info.unit)] if groups else []),
        Limit("params", "Parameters at most", example="900k"),
        Limit("macs", "Multiply-adds at most", example="30M"),
        Limit("bytes", "Bytes at most", example="3.8M"),
        Limit("ms", "Latency at most", "ms", "5"),
    )
    tolerance = None
    if found:
        usual = f"{found.tolerance:g}"
        tolerance = Limit("tolerance", "Behind the best at most", info.unit, usual, usual)
    return render(
        "limits_form",
        limits=limits,
        takes=[take for take in TAKES if groups or take[0] != "worst"],
        tolerance=tolerance,
    )


def answer(
    info: RunInfo, summary: FrontSummary, found: Verdict | None, single: Unconfirmed | None = None
) -> Markup:
    """Render the result in sentences.

    With a verdict on confirmed members, it is the smallest network within the tolerance of the best, or that none is
    for certain. Without confirmed networks (``single``), it names none to ship and says why. The most accurate
    network, the knee and the smallest of the front follow.
    """
    best = summary.best
    return render(
        "answer",
        best=best,
        knee=summary.knee,
        smallest=summary.smallest,
        finished=summary.count("finished"),
        new_seeds=len(best.confirmed.errors) if best and best.confirmed else 0,
        against=_against(best, info, summary) if best else "",
        worst=best.worst_group if best else None,
        bound=_bound_that_none_keeps(info, summary),
        confirmed=summary.is_confirmed,
        unit=info.unit,
        within=_within(found, info, summary) if found else None,
        epochs=training_length(summary).confirmed,
        single=single,
    )


def _bound_that_none_keeps(info: RunInfo, summary: FrontSummary) -> str:
    """Return the bound on the worst group's error with the least that was reached; empty where a network keeps it."""
    if summary.best is not None or not math.isfinite(info.worst_group_bound):
        return ""
    trials = summary.selected if summary.is_confirmed else summary.trials  # others are on no confirmed front
    errors = [t.worst_group_mae for t in trials if t.finished and math.isfinite(t.worst_group_mae)]
    if not errors:
        return ""
    bound = formatting.error_with_unit(info.worst_group_bound, info.unit)
    return f"{bound}; the lowest is {formatting.error_with_unit(min(errors), info.unit)}"


def _within(found: Verdict, info: RunInfo, summary: FrontSummary) -> Within:
    chosen, unit, detectable = found.choice, found.unit, found.comparison.detectable
    return Within(
        choice=chosen,
        new_seeds=len(chosen.confirmed.errors) if chosen and chosen.confirmed else 0,
        against=_against(chosen, info, summary) if chosen else "",
        behind=formatting.error_with_unit(found.against[chosen.id].high, unit) if chosen else "",
        tolerance=found.tolerance_in_words,
        detectable=formatting.error_with_unit(detectable, unit) if math.isfinite(detectable) else "",
    )


def constant_warning(info: RunInfo, summary: FrontSummary) -> Markup:
    """Render a warning where no trial does better than a constant; empty elsewhere."""
    best, constant = summary.best, info.data.constant_val_mae
    if best is not None and best.error >= constant:
        return render("constant", constant=formatting.error_with_unit(constant, info.unit))
    return Markup("")


def tiles(info: RunInfo, summary: FrontSummary) -> Markup:
    """Render a tile each for the best, the knee and the smallest; empty if no trial has finished."""
    best = summary.best
    if best is None:
        return Markup("")
    of = " of the search" if summary.relatives else ""  # what was made from its trials may have a lower error
    chosen = {f"lowest error{of}": best, "knee": summary.knee, "smallest": summary.smallest}
    titles: dict[str, list[str]] = {}
    for title, trial in chosen.items():
        if trial:
            titles.setdefault(trial.id, []).append(title)
    by_id = {trial.id: trial for trial in summary.trials}
    return render(
        "tiles",
        tiles=[
            Tile(" and ".join(names), by_id[id_], _lines(by_id[id_], info)) for id_, names in titles.items()
        ],
        unit=info.unit,
    )


def _against(trial: Trial, info: RunInfo, summary: FrontSummary) -> str:
    """Compare parameters, counted exactly, and error with those of VGG-16 and TinyAgeNet.

    The error is the lowest that this run reached with the network; it is left out if the run did not train it.
    """
    parts = []
    for network in compared_networks(info, summary):
        if network["key"] not in ("vgg16", "tiny") or not trial.params > 0:
            continue
        name, factor = network["name"], network["params"] / trial.params
        size = f"{formatting.ratio(factor)} fewer than {name}"
        if network["params"] == trial.params:
            size = f"exactly as many as {name}"
        elif factor < 1:
            size = f"{formatting.ratio(1 / factor)} as many as {name}"
        comparable = bool(trial.confirmed) == summary.is_confirmed
        if comparable and network["error"] is not None and network["trial"] != trial.id:
            size += f" ({_worse(trial.error - network['error'], info)})"
        parts.append(size)
    return " and ".join(parts) or "with no reference counted"


def _worse(difference: float, info: RunInfo) -> str:
    size = formatting.error(abs(difference), info.unit)
    if not float(size):
        return "the same error"
    return f"{size}\u00a0{info.unit} {'worse' if difference > 0 else 'better'}"


def _lines(trial: Trial, info: RunInfo) -> tuple[str, ...]:
    if not trial.timing.known:
        return trial.design
    speed = formatting.ratio(trial.timing.speedup.value)
    return (
        *trial.design,
        f"{speed} as fast as VGG-16, {formatting.digits(trial.timing.ms)}\u00a0ms per image",
        f"at {conditions(info, (trial.timing.side,))}",
    )
