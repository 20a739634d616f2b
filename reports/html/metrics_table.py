"""All metrics of every point of a comparison, on validation and on test, as HTML."""

from html import escape

from reports import formatting
from reports.html.markup import scrolling
from reports.model.points import Comparison, Point
from suite.runs.info import RunInfo
from suite.statistics.paired import mean_interval

_SPLITS = {"val": "validation", "test": "test"}


def metrics_table(comparison: Comparison, info: RunInfo) -> str:
    """The paper's metrics: means over the seeds that finished, with the reach of their 95 % intervals.

    A metric that no point has, as the epsilon-error where the data has no deviations, has no column, and
    a split that was not read has no row.
    """
    metrics = [m for m in _metrics(info) if any(_values(p, s, m) for p in comparison.points for s in _SPLITS)]
    rows = "".join(
        _row(point, split, metrics, info)
        for point in comparison.points
        for split in _SPLITS
        if any(_values(point, split, metric) for metric in metrics)
    )
    if not rows:
        return ""
    titles = ("point", "split", *(_title(metric, info) for metric in metrics))
    heads = "".join(f'<th scope="col" class="text">{title}</th>' for title in titles)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<h3>All metrics</h3><p>{_how(comparison)}</p>" + scrolling("All metrics of every point", table)


def _how(comparison: Comparison) -> str:
    tested = any(column.startswith("test_") for point in comparison.points for column in point.measured)
    read = (
        "The test split was read once, after the last training, and nothing was chosen by it."
        if tested
        else "The test split has not been read."
    )
    return f"Means over the seeds, \u00b1 the reach of the 95 % interval (Student's t). {read}"


def _metrics(info: RunInfo) -> tuple[str, ...]:
    """By the ends of their columns. CS(n) counts label units, and no error reaches 3 points of 1 to 5."""
    scores = ("cs3", "cs5", "cs8") if info.unit == "years" else ()
    return (f"mae_{info.unit}", f"rmse_{info.unit}", "pearson", *scores, "epsilon_error")


def _title(metric: str, info: RunInfo) -> str:
    named = {"pearson": "Pearson", "epsilon_error": "\u03b5-error"}
    if metric in named:
        return named[metric]
    if metric.startswith("cs"):
        return f"CS({metric[2:]})<small>share within {metric[2:]} {escape(info.unit)}</small>"
    return f"{metric.split('_')[0].upper()}<small>{escape(info.unit)}</small>"


def _row(point: Point, split: str, metrics: list[str], info: RunInfo) -> str:
    cells = "".join(f'<td class="text">{_cell(point, split, metric, info)}</td>' for metric in metrics)
    return f'<tr><th scope="row">{escape(point.label)}</th><td class="text">{_SPLITS[split]}</td>{cells}</tr>'


def _cell(point: Point, split: str, metric: str, info: RunInfo) -> str:
    values = _values(point, split, metric)
    if not values:
        return formatting.MISSING
    interval = mean_interval(values)
    reach = interval.high - interval.mean
    ends = f"<small>\u00b1 {_number(reach, metric, info)}</small>" if len(values) > 1 else ""
    return _number(interval.mean, metric, info) + ends


def _number(value: float, metric: str, info: RunInfo) -> str:
    if metric.startswith("cs"):
        return f"{100 * value:.1f}\u00a0%"
    return formatting.error(value, info.unit) if metric.endswith(f"_{info.unit}") else f"{value:.3f}"


def _values(point: Point, split: str, metric: str) -> list[float]:
    return list(point.measured.get(f"{split}_{metric}", {}).values())
