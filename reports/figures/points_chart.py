"""Points that were trained with several seeds: the mean error of each with its interval, and every seed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from reports.comparison import Interval, mean_interval
from reports.figures import style
from reports.numerals import error
from reports.points import Comparison
from suite.runs import RunInfo


@dataclass(frozen=True)
class PointsChart:
    """The points with an error, from the top down: by the number that varied, else by mean error."""

    labels: tuple[str, ...]
    means: tuple[Interval, ...]  # val MAE over the seeds, in ``unit``
    seeds: tuple[Mapping[int, float], ...]  # val MAE by seed
    baseline: str
    unit: str


def collect(comparison: Comparison, info: RunInfo) -> PointsChart:
    """Gather the points; those without a result have no row."""
    points = [point for point in comparison.points if point.errors]
    if all(math.isfinite(point.number) for point in points):
        points.sort(key=lambda point: point.number)
    return PointsChart(
        labels=tuple(point.label for point in points),
        means=tuple(mean_interval(list(point.errors.values())) for point in points),
        seeds=tuple(point.errors for point in points),
        baseline=comparison.baseline,
        unit=info.unit,
    )


def draw(data: PointsChart) -> go.Figure:
    """The points as a plotly figure, a row each."""
    figure = style.bare_figure(height=90 + 30 * len(data.labels))
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
    reach = [mean.high - mean.mean if math.isfinite(mean.high) else 0.0 for mean in data.means]
    figure.add_scatter(
        x=[mean.mean for mean in data.means],
        y=names,
        mode="markers",
        marker={"color": style.FRONT, "size": 10},
        error_x={"array": reach, "color": style.FRONT, "thickness": 1.5, "width": 4},
        hovertext=[
            f"<b>{name}</b><br>mean {error(mean.mean, data.unit)} {data.unit}"
            for name, mean in zip(names, data.means, strict=True)
        ],
        hoverinfo="text",
    )
    figure.update_xaxes(title={"text": f"validation MAE, {data.unit}", "standoff": 6})
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names[::-1], automargin=True, showgrid=False
    )
    return figure
