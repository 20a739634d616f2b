"""Which point of a comparison has what the paper chose of the fields that varied."""

from collections.abc import Mapping

from reports.model.points import Comparison, Point
from reports.published.numbers import PublishedChoice, published
from suite.runs.info import RunInfo


def papers_choices(comparison: Comparison, info: RunInfo) -> Mapping[str, PublishedChoice]:
    """The paper's choices of what varied, by field; those that mean the same thing in this run."""
    found = {field: published().choice(field, info.attribute) for field in comparison.varied}
    return {field: choice for field, choice in found.items() if choice and _applies(choice, comparison)}


def papers_point(comparison: Comparison, info: RunInfo) -> Point | None:
    """The point that has the paper's choice of everything that varied; None where no point has."""
    choices = papers_choices(comparison, info)
    if not comparison.varied or len(choices) < len(comparison.varied):
        return None
    return next((p for p in comparison.points if all(_has(p, c) for c in choices.values())), None)


def _applies(choice: PublishedChoice, comparison: Comparison) -> bool:
    return all(
        getattr(point.config, field) == value
        for point in comparison.points
        for field, value in choice.given.items()
    )


def _has(point: Point, choice: PublishedChoice) -> bool:
    return bool(getattr(point.config, choice.of) == choice.value)
