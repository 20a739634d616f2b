"""The section "Comparison" of a run that trained each of its points with several seeds, as HTML."""

import math
from html import escape

from reports import formatting
from reports.html.markup import count, scrolling
from reports.html.metrics_table import metrics_table
from reports.html.published_comparison.paper import beside_paper
from reports.model.difference_text import NO_DIFFERENCE
from reports.model.points import Comparison, Point, compare, seeds_of
from suite.runs.info import RunInfo
from suite.runs.tables import Run
from suite.statistics.paired import Difference, Interval, mean_interval

#: So many points without a difference are named; of more, where there are no others, their number is enough.
LISTED = 6


def comparison_section(run: Run, chart: str = "") -> str:
    """The whole section, with the chart's HTML in it; empty where each point was trained once."""
    comparison = compare(run)
    if comparison is None:
        return ""
    body = _body(comparison, run.info, chart) if any(p.errors for p in comparison.points) else _nothing_yet()
    return f"<section>\n<h2>Comparison</h2>\n{body}\n</section>"


def seeds_note(info: RunInfo) -> str:
    """That several trials are one point, wherever trials are shown one by one; empty where none are."""
    seeds = seeds_of(info)
    if seeds < 2:
        return ""
    return (
        f"<p>Each point was trained with <b>{seeds} seeds</b>, and each training is a trial of its own here: "
        f"what leads has its luckiest seed to thank as well. "
        f'Means over the seeds and their differences are under "Comparison".</p>'
    )


def _nothing_yet() -> str:
    return "<p>No trial has finished, so there is nothing to compare.</p>"


def _body(comparison: Comparison, info: RunInfo, chart: str) -> str:
    points = f"{_answer(comparison, info)}{chart}{_table(comparison, info)}{metrics_table(comparison, info)}"
    return f"<p>{_how(comparison)}</p>{points}{beside_paper(comparison, info)}"


def _how(comparison: Comparison) -> str:
    varied = escape(" and ".join(comparison.varied))
    chosen = (
        " It is the one with the lowest mean, chosen by the very errors that are compared, so the "
        "differences to it are rather too large than too small."
        if comparison.baseline_is_the_best
        else ""
    )
    return (
        f"{count(len(comparison.points), 'point')} that differ in {varied}, each trained with the same "
        f"{comparison.seeds} seeds. Errors are validation MAEs after the last epoch. Differences are to "
        f"<b>{escape(comparison.baseline)}</b>, formed seed by seed, their intervals widened so that all "
        f"together hold with 95 % confidence (Bonferroni).{chosen} Intervals (Student's t) tell of other "
        "seeds on the same images, not of other images; those of two means may overlap where a difference is "
        "seen, for they hold what a seed does to both."
    )


def _answer(comparison: Comparison, info: RunInfo) -> str:
    """In a sentence, what can be seen and what cannot."""
    others = list(comparison.differences.values())
    if not others:
        return ""
    seen = [_in_words(difference, info) for difference in others if difference.seen]
    unseen = [escape(difference.second) for difference in others if not difference.seen]
    parts = []
    if seen:
        parts.append(f"Against {escape(comparison.baseline)}: " + "; ".join(seen) + ".")
    if unseen and not seen and len(unseen) > LISTED:
        whose = f"between {escape(comparison.baseline)} and any of the other {len(unseen)} points"
        parts.append(f"{NO_DIFFERENCE.capitalize()} {whose}.")
    elif unseen:
        parts.append(f"{NO_DIFFERENCE.capitalize()} to {escape(comparison.baseline)}: {', '.join(unseen)}.")
    return f'<p class="lead">{" ".join(parts)}</p>'


def _in_words(difference: Difference, info: RunInfo) -> str:
    mean = difference.interval.mean
    change = f"{formatting.error(abs(mean), info.unit)} {info.unit} {'lower' if mean < 0 else 'higher'}"
    return f"<b>{escape(difference.second)}</b> {change}"


def _table(comparison: Comparison, info: RunInfo) -> str:
    titles = (
        "point",
        f"val MAE, {info.unit}: mean, 95 % interval",
        "each seed",
        "parameters",
        f"difference to {comparison.baseline}, interval",
        "in words",
    )
    heads = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    rows = "".join(_row(point, comparison, info) for point in comparison.points)
    return scrolling(
        "Comparison of points over their seeds",
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>",
    )


def _row(point: Point, comparison: Comparison, info: RunInfo) -> str:
    unit, difference = info.unit, comparison.differences.get(point.label)
    mean = _interval(mean_interval(list(point.errors.values())), unit) if point.errors else formatting.MISSING
    seeds = "<br>".join(f"{seed}: {formatting.error(e, unit)}" for seed, e in sorted(point.errors.items()))
    lost = f"<small>{point.lost} without a result</small>" if point.lost else ""
    change = _interval(difference.interval, unit, signed=True) if difference else formatting.MISSING
    return (
        f'<tr><th scope="row">{escape(point.label)}</th><td>{mean}</td><td>{seeds}{lost}</td>'
        f"<td>{formatting.quantity(point.params)}</td><td>{change}</td>"
        f'<td class="text">{_verdict(point, comparison, difference)}</td></tr>'
    )


def _verdict(point: Point, comparison: Comparison, difference: Difference | None) -> str:
    if point.label == comparison.baseline:
        return "what the others are held against"
    if difference is None:
        return "nothing to pair"
    unpaired = f" ({count(difference.unpaired, 'seed')} unpaired, left out)" if difference.unpaired else ""
    if not difference.seen:
        return NO_DIFFERENCE + unpaired
    return ("lower error" if difference.interval.mean < 0 else "higher error") + unpaired


def _interval(interval: Interval, unit: str, *, signed: bool = False) -> str:
    number = formatting.signed if signed else formatting.error
    ends = "one seed, no interval"
    if math.isfinite(interval.low):
        ends = f"{number(interval.low, unit)} to {number(interval.high, unit)}"
    return f'{number(interval.mean, unit)} <small class="ends">{ends}</small>'
