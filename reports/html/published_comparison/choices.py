"""The paper's choices for the fields that a run varied, and what this run measured for them."""

from dataclasses import dataclass

from markupsafe import Markup

from reports.formatting import error_with_unit
from reports.html.templating import render
from reports.model.paper_choice import papers_point
from reports.model.points import Comparison, Point
from reports.published.numbers import SOURCES, PublishedChoice, published
from suite.runs.info import RunInfo

#: Fields of which the sources cited give the choice alone, and no error under another.
UNPUBLISHED = ("label_step", "label_deviation", "pooling")


@dataclass(frozen=True)
class Choice:
    """A field of the configuration and the paper's value."""

    field: str
    value: str
    words: str
    source: str


def choices_beside_published(comparison: Comparison, info: RunInfo) -> Markup:
    """Render a paragraph on the paper's choices; empty if the paper states none for the varied fields."""
    found = [published().choice(field, info.attribute) for field in comparison.varied]
    choices = [choice for choice in found if choice]
    if not choices:
        return Markup("")
    return render(
        "published_choices",
        choices=[_choice(choice) for choice in choices],
        here=_measured(comparison, info) if len(choices) == len(comparison.varied) else "",
        unpublished=[choice.of for choice in choices if choice.of in UNPUBLISHED],
    )


def _choice(choice: PublishedChoice) -> Choice:
    value = choice.value if isinstance(choice.value, str) else f"{choice.value:g}"
    return Choice(choice.of, value, choice.words, SOURCES[choice.source])


def _measured(comparison: Comparison, info: RunInfo) -> str:
    """Compare the paper's choice with the lowest mean of this run."""
    chosen, best = papers_point(comparison, info), comparison.points[0]
    if chosen is None or not chosen.errors:
        return "No training with that choice has finished here."
    words = f"Here it gives {_error(chosen, info)}"
    if chosen is best:
        others = [point for point in comparison.points[1:] if point.errors]
        words += ", the lowest mean of this run"
        words += f"; the next is {others[0].label} with {_error(others[0], info)}" if others else ""
    else:
        words += f"; the lowest mean of this run is {best.label} with {_error(best, info)}"
    return f"{words}. The table above says whether the seeds tell them apart."


def _error(point: Point, info: RunInfo) -> str:
    seeds = len(point.errors)
    over = f"mean of {seeds} seeds" if seeds > 1 else "one seed"
    return f"{error_with_unit(point.mean, info.unit)} ({over})"
