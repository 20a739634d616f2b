"""The section "Comparison" of a run that trained each of its points with several seeds."""

from dataclasses import dataclass

from markupsafe import Markup

from reports import formatting
from reports.figures import curve_chart, points_chart
from reports.html.figure import figure_markup
from reports.html.metrics_table import metrics_table
from reports.html.published_comparison.paper import published_comparison
from reports.html.templating import render
from reports.model.difference_text import NO_DIFFERENCE
from reports.model.interval_text import IntervalText, basis, interval_text, mean_text
from reports.model.points import Comparison, Point, compare, seeds_of
from suite.runs.info import RunInfo
from suite.runs.tables import Run
from suite.statistics.paired import Difference

#: If no point differs from the baseline, at most this many are named; more are counted.
LISTED = 6


@dataclass(frozen=True)
class Change:
    """How much lower or higher the error of a point is than the baseline's."""

    label: str
    text: str


@dataclass(frozen=True)
class Answer:
    """Which points differ from the baseline, and a sentence on those that do not."""

    seen: tuple[Change, ...]
    unseen: str


@dataclass(frozen=True)
class Row:
    """A point in the table."""

    label: str
    mean: IntervalText | None
    seeds: list[str]  # the error of each
    lost: str
    params: float
    difference: IntervalText | None
    verdict: str


def comparison_section(run: Run) -> Markup:
    """Render the section; empty if each point was trained once."""
    comparison, info = compare(run), run.info
    if comparison is None:
        return Markup("")
    finished = any(point.errors for point in comparison.points)
    return render(
        "comparison",
        comparison=comparison,
        finished=finished,
        answer=_answer(comparison, info),
        chart=_chart(comparison, info) if finished else "",
        titles=_titles(comparison, info),
        rows=[_row(point, comparison, info) for point in comparison.points],
        basis=basis(point.interval for point in comparison.points if point.errors),
        metrics=metrics_table(comparison, info),
        published=published_comparison(comparison, info) if finished else "",
    )


def seeds_note(info: RunInfo) -> Markup:
    """Explain, where trials are listed one by one, that several are one point; empty if none are."""
    return render("seeds_note", seeds=seeds_of(info))


def _chart(comparison: Comparison, info: RunInfo) -> Markup:
    """Draw the means over the one numeric field that varied, else point by point."""
    curve = curve_chart.collect(comparison, info)
    if curve is not None:
        return figure_markup(curve_chart.draw(curve), f"Mean validation MAE over {curve.field}")
    chart = points_chart.collect(comparison, info)
    label = "Mean validation MAE of each point over its seeds, with its interval"
    drawn = figure_markup(points_chart.draw(chart), label)
    return render("points_chart", figure=drawn, shown=len(chart.labels), left_out=chart.left_out)


def _answer(comparison: Comparison, info: RunInfo) -> Answer:
    """State which differences can be seen and which cannot."""
    others = comparison.differences.values()
    seen = tuple(_change(difference, info) for difference in others if difference.seen)
    unseen = [difference.second for difference in others if not difference.seen]
    nothing, baseline = NO_DIFFERENCE.capitalize(), comparison.baseline
    text = ""
    if unseen and not seen and len(unseen) > LISTED:
        text = f"{nothing} between {baseline} and any of the other {len(unseen)} points."
    elif unseen:
        text = f"{nothing} to {baseline}: {', '.join(unseen)}."
    return Answer(seen, text)


def _change(difference: Difference, info: RunInfo) -> Change:
    mean = difference.interval.mean
    size = formatting.error(abs(mean), info.unit)
    return Change(difference.second, f"{size} {info.unit} {'lower' if mean < 0 else 'higher'}")


def _titles(comparison: Comparison, info: RunInfo) -> tuple[str, ...]:
    return (
        "point",
        f"val MAE, {info.unit}: mean, 95 % interval",
        "each seed",
        "parameters",
        f"difference to {comparison.baseline}, interval",
        "in words",
    )


def _row(point: Point, comparison: Comparison, info: RunInfo) -> Row:
    unit, difference = info.unit, comparison.differences.get(point.label)
    return Row(
        label=point.label,
        mean=mean_text(point.interval if point.errors else None, unit),
        seeds=[f"{seed}: {formatting.error(e, unit)}" for seed, e in sorted(point.errors.items())],
        lost=f"{point.lost} without a result" if point.lost else "",
        params=point.params,
        difference=interval_text(difference.interval, unit, signed=True) if difference else None,
        verdict=_verdict(point, comparison, difference),
    )


def _verdict(point: Point, comparison: Comparison, difference: Difference | None) -> str:
    if point.label == comparison.baseline:
        return "the baseline"
    if difference is None:
        return "no seed in common"
    unpaired = ""
    if difference.unpaired:
        unpaired = f" ({formatting.count(difference.unpaired, 'seed')} unpaired, left out)"
    if not difference.seen:
        return NO_DIFFERENCE + unpaired
    return ("lower error" if difference.interval.mean < 0 else "higher error") + unpaired
