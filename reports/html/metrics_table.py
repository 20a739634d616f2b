"""All metrics of every point of a comparison, on validation and on test."""

from dataclasses import dataclass

from markupsafe import Markup

from reports import formatting
from reports.html.templating import render
from reports.model.points import Comparison, Point
from suite.runs.info import RunInfo
from suite.statistics.paired import mean_interval

_SPLITS = {"val": "validation", "test": "test"}


@dataclass(frozen=True)
class Metric:
    """A metric; ``column`` is the name in ``trials.parquet`` without its split."""

    column: str
    title: str
    unit: str = ""


@dataclass(frozen=True)
class Cell:
    """A mean over the seeds, and the half-width of its interval."""

    mean: str
    reach: str = ""


@dataclass(frozen=True)
class Row:
    """A point on one split."""

    label: str
    split: str
    cells: list[Cell]


def metrics_table(comparison: Comparison, info: RunInfo) -> Markup:
    """Render means over the finished seeds, with the half-widths of their 95 % intervals.

    A metric that no point has is left out, such as the epsilon-error for data without deviations. So is a split
    that was not read.
    """
    points = comparison.points
    metrics = [m for m in _metrics(info) if any(_values(p, s, m) for p in points for s in _SPLITS)]
    rows = [
        Row(point.label, words, [_cell(point, split, metric, info) for metric in metrics])
        for point in points
        for split, words in _SPLITS.items()
        if any(_values(point, split, metric) for metric in metrics)
    ]
    tested = any(column.startswith("test_") for point in points for column in point.measured)
    return render("metrics", rows=rows, metrics=metrics, tested=tested)


def _metrics(info: RunInfo) -> list[Metric]:
    """CS(n) is left out for points: no error reaches 3 points on a scale of 1 to 5."""
    within = (3, 5, 8) if info.unit == "years" else ()
    return [
        Metric(f"mae_{info.unit}", "MAE", info.unit),
        Metric(f"mae_one_pass_{info.unit}", "MAE of one pass", info.unit),
        Metric(f"worst_group_mae_{info.unit}", "MAE of the worst group", info.unit),
        Metric(f"rmse_{info.unit}", "RMSE", info.unit),
        Metric("pearson", "Pearson"),
        *(Metric(f"cs{n}", f"CS({n})", f"share within {n} {info.unit}") for n in within),
        Metric("epsilon_error", "\u03b5-error"),
    ]


def _cell(point: Point, split: str, metric: Metric, info: RunInfo) -> Cell:
    values = _values(point, split, metric)
    if not values:
        return Cell(formatting.MISSING)
    interval = mean_interval(values)
    mean = _number(interval.mean, metric, info)
    if len(values) == 1:
        return Cell(mean)
    return Cell(mean, f"\u00b1 {_number(interval.high - interval.mean, metric, info)}")


def _number(value: float, metric: Metric, info: RunInfo) -> str:
    if metric.column.startswith("cs"):
        return f"{100 * value:.1f}\u00a0%"
    return formatting.error(value, info.unit) if metric.unit == info.unit else f"{value:.3f}"


def _values(point: Point, split: str, metric: Metric) -> list[float]:
    return list(point.measured.get(f"{split}_{metric.column}", {}).values())
