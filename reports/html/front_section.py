"""The words around the chart of the front: its switch of axes, its legend and its note."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports import formatting
from reports.html.templating import render
from reports.model.hypervolume import BEYOND, Box, box_of, volume
from reports.model.timing import conditions
from reports.model.training_length import is_confirmed, training_length
from reports.model.trials import FrontSummary
from reports.model.within_tolerance import Verdict
from suite.runs.info import RunInfo

#: Marks in the legend of what ``suite compress`` made, by stage.
MARKS = {"pruned": "\u25bc", "int8": "\u25a0", "distilled": "\u25b2"}
OTHER_MARK = "\u2b22"
#: Marks in the legend of confirmed networks of a run that shares weights, by how it confirms.
SHAPES = {"procedure": "\u2605", "scratch": "\u271a"}
#: So many networks are named of those that cannot be told apart from the best.
MOST_NAMED = 6

#: Where the published errors come from, by attribute.
PUBLISHED_DATA = {
    "age": "They are MAEs on ChaLearn15: photographs of real people, at 224 px. VGG-16's are those of DEX, "
    'without and with external training data ("ext.").',
    "attractiveness": "They are MAEs on SCUT-FBP5500: photographs of real people. None is published there "
    "for VGG-16.",
}


@dataclass(frozen=True)
class ChartVerdict:
    """Which networks in the chart may be the best, and whether the answer is one of them."""

    names: str  # of those that may be the best
    perhaps_best: int  # how many there are
    choice: str  # empty: there is no answer
    choice_is_one: bool
    behind: str  # how far the answer is behind the best, at most


def axes(offered: Sequence[Mapping[str, Any]]) -> Markup:
    """Render the switch of the front's horizontal axis, hidden until the script that draws the front runs."""
    return render("axes", axes=offered)


def legend(info: RunInfo, summary: FrontSummary, found: Verdict | None) -> Markup:
    """Render the legend of the marks that the front's chart has, and what the verdict says of them.

    ``found`` is None where confirmed members cannot be compared.
    """
    stages = dict.fromkeys(trial.stage for trial in summary.compressed)
    off = [trial for trial in summary.trials if trial.finished and not trial.on_front]
    return render(
        "legend",
        length=training_length(summary),
        confirmed=any(map(is_confirmed, summary.front)),
        shape=SHAPES[info.sharing.counted] if info.sharing else "",
        once=not all(map(is_confirmed, off)),
        fallen=any(map(is_confirmed, off)),
        verdict=_verdict(found) if found else None,
        stopped=summary.count("stopped"),
        tiny=any(trial.is_tiny for trial in summary.trials),
        compressed=[(stage, MARKS.get(stage, OTHER_MARK)) for stage in stages],
        parent=summary.parent is not None,
    )


def _verdict(found: Verdict) -> ChartVerdict:
    ids, choice = found.perhaps_best, found.choice
    names = [*ids[:MOST_NAMED], *([f"{len(ids) - MOST_NAMED:,} more"] if len(ids) > MOST_NAMED else [])]
    return ChartVerdict(
        names=" and ".join(filter(None, (", ".join(names[:-1]), names[-1]))),
        perhaps_best=len(ids),
        choice=choice.id if choice else "",
        choice_is_one=choice is not None and choice.id in ids,
        behind=formatting.error_with_unit(found.against[choice.id].high, found.unit) if choice else "",
    )


def chart_note(info: RunInfo, summary: FrontSummary) -> Markup:
    """Explain what the chart leaves out, and why the paper's marks have an axis of their own."""
    front = volume(info, summary)
    counts = [(summary.count(status), status) for status in ("diverged", "failed")]
    return render(
        "chart_note",
        objectives=", ".join(map(formatting.objective, info.objectives)),
        confirmed=summary.is_confirmed,
        compressed=bool(summary.compressed),
        stopped=summary.count("stopped"),
        missing=" and ".join(f"{number:,} {status}" for number, status in counts if number),
        hypervolume=front,
        box=_box_in_words(front.box, info) if front else "",
        beyond=f"{BEYOND:g}",
        costs_unknown=box_of(info) is None,
        published_data=PUBLISHED_DATA["age" if info.attribute == "age" else "attractiveness"],
        measured_at=conditions(info, summary.timed_at) if summary.timed_at else "",
        resolutions_differ=summary.resolutions != (info.resolution,),
    )


def _box_in_words(box: Box, info: RunInfo) -> str:
    """Describe the box of the hypervolume, one clause for each objective."""
    sizes = {"params": "parameters", "macs": "multiply-adds", "bytes": "bytes on disk"}
    parts = []
    for name, corner in box.corner.items():
        if name in sizes:
            ends = f"{formatting.quantity(box.least[name])} to {formatting.quantity(corner)}"
            parts.append(f"{ends} {sizes[name]} by their logarithm")
        else:
            error = formatting.error_with_unit(corner, info.unit)
            parts.append(f"0 to a constant's error of {error} ({formatting.objective(name)})")
    return ", ".join(parts)
