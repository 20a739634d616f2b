"""The mean error of each point over its seeds, with its interval and the error of every seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from reports.figures import style
from reports.formatting import error
from reports.model.points import Comparison
from suite.runs.info import RunInfo
from suite.statistics.paired import Interval


@dataclass(frozen=True)
class PointsChart:
    """The points that have an error, from top to bottom: by the number that varied, else by mean error."""

    labels: tuple[str, ...]
    means: tuple[Interval, ...]  # val MAE over the seeds, in ``unit``
    seeds: tuple[Mapping[int, float], ...]  # val MAE by seed
    baseline: str
    unit: str
    left_out: int = 0


#: At most this many points have a row, those with the lowest means. The table has all.
MOST = 40


def collect(comparison: Comparison, info: RunInfo) -> PointsChart:
    """Gather the points that have a result."""
    known = [point for point in comparison.points if point.errors]
    points = known[:MOST]
    if all(math.isfinite(point.number) for point in points):
        points.sort(key=lambda point: point.number)
    return PointsChart(
        labels=tuple(point.label for point in points),
        means=tuple(point.interval for point in points),
        seeds=tuple(point.errors for point in points),
        baseline=comparison.baseline,
        unit=info.unit,
        left_out=len(known) - len(points),
    )


def draw(data: PointsChart) -> go.Figure:
    """Draw the points as a plotly figure, one row per point."""
    figure = style.bare_figure(height=90 + 30 * len(data.labels))
    low, high = _range(data)
    names = [escape(label) for label in data.labels]
    for name, seeds in zip(names, data.seeds, strict=True):
        figure.add_scatter(
            x=list(seeds.values()),
            y=[name] * len(seeds),
            mode="markers",
            marker={"color": style.OTHERS, "size": 6, "opacity": 0.7},
            hovertext=[
                f"<b>{name}</b><br>seed {seed}: {error(value, data.unit)} {data.unit}"
                for seed, value in seeds.items()
            ],
            hoverinfo="text",
        )
    ends = [
        (max(mean.low, low), min(mean.high, high)) if math.isfinite(mean.high) else (mean.mean, mean.mean)
        for mean in data.means
    ]
    figure.add_scatter(
        x=[mean.mean for mean in data.means],
        y=names,
        mode="markers",
        marker={"color": style.FRONT, "size": 10},
        error_x={
            "type": "data",
            "array": [end - mean.mean for mean, (_, end) in zip(data.means, ends, strict=True)],
            "arrayminus": [mean.mean - start for mean, (start, _) in zip(data.means, ends, strict=True)],
            "color": style.FRONT, "thickness": 1.5, "width": 4,
        },
        hovertext=[
            f"<b>{name}</b><br>mean {error(mean.mean, data.unit)} {data.unit}"
            for name, mean in zip(names, data.means, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip
    _mark_cut_intervals(figure, data, names, (low, high))
    figure.update_xaxes(
        title={"text": f"validation MAE, {data.unit}", "standoff": 6}, range=[low, high], nticks=8
    )
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names[::-1], automargin=True, showgrid=False,
        range=[-0.7, len(names) - 0.3],
    )  # fmt: skip
    return figure


def _range(data: PointsChart) -> tuple[float, float]:
    """Return the range of errors, extended by at most half its width on either side.

    The interval of two seeds can be many times as wide, which would leave no room to tell the points apart.
    """
    values = [value for seeds in data.seeds for value in seeds.values()]
    spread = max(values) - min(values) or 0.1 * max(values) or 1.0
    ends = [end for mean in data.means for end in (mean.low, mean.high) if math.isfinite(end)]
    low, high = min([*values, *ends]), max([*values, *ends])
    pad = 0.03 * spread
    return max(low, min(values) - 0.5 * spread) - pad, min(high, max(values) + 0.5 * spread) + pad


def _mark_cut_intervals(
    figure: go.Figure, data: PointsChart, names: Sequence[str], ends: tuple[float, float]
) -> None:
    """Add an arrow where an interval extends beyond the chart; its hover text has the end."""
    low, high = ends
    cut = [
        (end, name, symbol, value)
        for name, mean in zip(names, data.means, strict=True)
        for end, symbol, value, beyond in (
            (low, "triangle-left", mean.low, mean.low < low),
            (high, "triangle-right", mean.high, mean.high > high),
        )
        if beyond and math.isfinite(value)
    ]
    if not cut:
        return
    figure.add_scatter(
        x=[end for end, *_ in cut],
        y=[name for _, name, *_ in cut],
        mode="markers",
        marker={"symbol": [symbol for _, _, symbol, _ in cut], "color": style.FRONT, "size": 9},
        hovertext=[f"<b>{name}</b><br>the interval goes on to {error(value, data.unit)} {data.unit}"
                   for _, name, _, value in cut],
        hoverinfo="text",
        cliponaxis=False,
    )  # fmt: skip
