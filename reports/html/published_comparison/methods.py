"""The paper's age table with this run's errors of the same methods beside it, as HTML."""

from html import escape

from reports import formatting
from reports.html.markup import scrolling
from reports.html.published_comparison.networks import over_seeds, table_heads
from reports.model.points import PUBLISHED_KEYS, Comparison, Point
from reports.published.numbers import SOURCES, PublishedMethod, PublishedResult, published
from suite.runs.info import RunInfo


def age_table(comparison: Comparison, info: RunInfo) -> str:
    """The paper's table, a row a method; empty where methods are not what varied, or not years the unit."""
    table = published().methods
    if "method" not in comparison.varied or info.unit != table.unit:
        return ""
    rows = "".join(_row(method, comparison, info) for method in table.rows)
    heads = table_heads(
        "published", *(f"{data}, MAE in {table.unit}" for data in table.data), f"val MAE here, {info.unit}"
    )
    return (
        f"<h3>The paper's table beside ours</h3>{_words(comparison, info)}"
        + scrolling(
            "The paper's methods, published beside measured",
            f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>",
        )
        + f'<ul class="sources"><li>{SOURCES[table.source]}: {escape(published().papers[0])}</li></ul>'
    )


def counterparts(method: PublishedMethod, comparison: Comparison) -> tuple[Point, ...]:
    """The points of this run that are trained by a published method.

    Where the row is of one of the paper's networks, only points of that network are.
    """
    return tuple(
        point
        for point in comparison.points
        if point.method in method.here
        and method.network in ("", PUBLISHED_KEYS.get(point.network, "another network"))
    )


def _words(comparison: Comparison, info: RunInfo) -> str:
    paired = {point.label for row in published().methods.rows for point in counterparts(row, comparison)}
    alone = [escape(point.label) for point in comparison.points if point.label not in paired]
    missing = f" Not in that table: {', '.join(alone)}." if alone else ""
    networks = " or ".join(sorted({escape(point.network) for point in comparison.points}))
    return (
        "<p><b>Data, network and training differ:</b> the published errors are of photographs of real "
        "people, and their networks and training are not this run's; ours are means over the seeds on "
        f"{escape(info.data.name)} at {info.resolution} px, all with {networks} and one recipe. Compare the "
        "order within a column, not one column with the other. OR-CNN and Ranking both train a sigmoid for "
        f"each threshold, as ranking-bce and ranking-mse do here.{missing}</p>"
    )


def _row(method: PublishedMethod, comparison: Comparison, info: RunInfo) -> str:
    network = published().networks[method.network].name if method.network else ""
    name = ", ".join(filter(None, (method.name, network)))
    training = f"{'with' if method.external else 'no'} external data"
    cells = "".join(f'<td class="text">{_result(method, data)}</td>' for data in published().methods.data)
    here = "".join(
        f"{over_seeds(point, info)}<small>{escape(point.label)}</small>"
        for point in counterparts(method, comparison)
    )
    return (
        f'<tr><th scope="row">{escape(name)}<small>{training}</small></th>{cells}'
        f'<td class="text">{here or formatting.MISSING}</td></tr>'
    )


def _result(method: PublishedMethod, data: str) -> str:
    """As published, digits and all; a dash where there is no number."""
    result = method.results.get(data, PublishedResult())
    mae = formatting.MISSING if result.mae is None else f"{result.mae:.3f}".removesuffix("0")
    epsilon = "" if result.epsilon is None else f"<small>epsilon-error {result.epsilon:g}</small>"
    return mae + epsilon
