"""The paper's age table, with this run's errors of the same methods beside it."""

from dataclasses import dataclass

from markupsafe import Markup

from reports import formatting
from reports.html.published_comparison.entry import Entry, seeds_entry
from reports.html.templating import render
from reports.model.points import PUBLISHED_KEYS, Comparison, Point
from reports.published.numbers import SOURCES, PublishedMethod, PublishedResult, published
from suite.runs.info import RunInfo


@dataclass(frozen=True)
class MethodRow:
    """A published method, its published errors by data set, and its errors in this run."""

    name: str
    training: str
    published: list[Entry]
    here: list[Entry]


def age_table(comparison: Comparison, info: RunInfo) -> Markup:
    """Render the paper's table, one row per method; empty if methods did not vary, or for another unit."""
    table = published().methods
    if "method" not in comparison.varied or info.unit != table.unit:
        return Markup("")
    paired = {point.label for row in table.rows for point in counterparts(row, comparison)}
    return render(
        "published_methods",
        info=info,
        networks=" or ".join(sorted({point.network for point in comparison.points})),
        unpublished=", ".join(point.label for point in comparison.points if point.label not in paired),
        titles=(
            "published",
            *(f"{data}, MAE in {table.unit}" for data in table.data),
            f"val MAE here, {info.unit}",
        ),
        rows=[_row(method, comparison, info) for method in table.rows],
        source=f"{SOURCES[table.source]}: {published().papers[0]}",
    )


def counterparts(method: PublishedMethod, comparison: Comparison) -> tuple[Point, ...]:
    """Return the points of this run that use a published method.

    If the row is for one of the paper's networks, only points with that network count.
    """
    return tuple(
        point
        for point in comparison.points
        if point.method in method.here
        and method.network in ("", PUBLISHED_KEYS.get(point.network, "another network"))
    )


def _row(method: PublishedMethod, comparison: Comparison, info: RunInfo) -> MethodRow:
    network = published().networks[method.network].name if method.network else ""
    return MethodRow(
        name=", ".join(filter(None, (method.name, network))),
        training=f"{'with' if method.external else 'no'} external data",
        published=[_result(method, data) for data in published().methods.data],
        here=[seeds_entry(point, info, point.label) for point in counterparts(method, comparison)],
    )


def _result(method: PublishedMethod, data: str) -> Entry:
    """Format a result with its published digits; a dash if there is none."""
    result = method.results.get(data, PublishedResult())
    mae = formatting.MISSING if result.mae is None else f"{result.mae:.3f}".removesuffix("0")
    return Entry(mae, () if result.epsilon is None else (f"epsilon-error {result.epsilon:g}",))
