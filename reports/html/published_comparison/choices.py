"""What the paper chose of the fields that a run varied, and what was measured here beside it, as HTML."""

from html import escape

from reports.html.markup import mae
from reports.model.paper_choice import papers_point
from reports.model.points import Comparison, Point
from reports.published.numbers import SOURCES, PublishedChoice, published
from suite.runs.info import RunInfo

#: Fields of which the sources cited give the choice alone, and no error under another.
UNPUBLISHED = ("label_step", "label_deviation", "pooling")


def choices_beside_published(comparison: Comparison, info: RunInfo) -> str:
    """A paragraph on the paper's choices; empty where the paper chose nothing of what varied."""
    found = [published().choice(field, info.attribute) for field in comparison.varied]
    choices = [choice for choice in found if choice]
    if not choices:
        return ""
    sentences = [_chosen(choice) for choice in choices]
    if len(choices) == len(comparison.varied):
        sentences.append(_measured(comparison, info))
    unpublished = [f"<code>{c.of}</code>" for c in choices if c.of in UNPUBLISHED]
    if unpublished:
        sentences.append(
            f"The sources cited here publish no errors for different values of {' and '.join(unpublished)}, "
            "only the choice."
        )
    return f"<h3>The paper's choice</h3><p>{' '.join(sentences)}</p>"


def _chosen(choice: PublishedChoice) -> str:
    value = choice.value if isinstance(choice.value, str) else f"{choice.value:g}"
    return f"The paper sets <code>{choice.of}</code> to {value}, {choice.words} ({SOURCES[choice.source]})."


def _measured(comparison: Comparison, info: RunInfo) -> str:
    """The paper's choice against the lowest mean of this run."""
    chosen, best = papers_point(comparison, info), comparison.points[0]
    if chosen is None or not chosen.errors:
        return "No training with that choice has finished here."
    words = f"Here it gives {_error(chosen, info)}"
    if chosen is best:
        others = [point for point in comparison.points[1:] if point.errors]
        words += ", the lowest mean of this run"
        words += f"; the next is {escape(others[0].label)} with {_error(others[0], info)}" if others else ""
    else:
        words += f"; the lowest mean of this run is {escape(best.label)} with {_error(best, info)}"
    return f"{words}. The table above says whether the seeds tell them apart."


def _error(point: Point, info: RunInfo) -> str:
    return f"{mae(point.mean, info)} ({_seeds(point)})"


def _seeds(point: Point) -> str:
    """Of how many seeds a point's mean is."""
    seeds = len(point.errors)
    return f"mean of {seeds} seeds" if seeds > 1 else "one seed"
