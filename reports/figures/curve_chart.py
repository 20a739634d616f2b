"""The mean error as a function of the one number that varied, with intervals, all seeds and the paper's choice."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from reports.figures import style
from reports.formatting import error
from reports.model.paper_choice import papers_point
from reports.model.points import Comparison
from suite.runs.info import RunInfo
from suite.statistics.paired import Interval

#: The axis is logarithmic from this ratio of the largest to the smallest positive number.
WIDE = 20
#: As shares of the axis: the distance of a 0 from the smallest positive number, and the least between ticks.
GAP, TICK_GAP = 0.15, 0.1


@dataclass(frozen=True)
class CurveChart:
    """The points that have an error, by ascending number, with their positions on the axis.

    On a logarithmic axis a position is the number's decimal logarithm, and 0 is set apart to the left of the rest.
    """

    field: str
    numbers: tuple[float, ...]
    positions: tuple[float, ...]
    logarithmic: bool
    means: tuple[Interval, ...]  # val MAE over the seeds, in ``unit``
    seeds: tuple[Mapping[int, float], ...]  # val MAE by seed
    papers: float | None  # the paper's choice, where one of the numbers is
    unit: str

    @property
    def zero_apart(self) -> bool:
        """Whether the first number is a 0, which a logarithmic axis cannot show."""
        return self.logarithmic and self.numbers[0] == 0


def collect(comparison: Comparison, info: RunInfo) -> CurveChart | None:
    """Gather the points.

    Returns:
        None unless exactly one numeric field varied, with no negative value and at least two positive ones.
    """
    points = sorted((p for p in comparison.points if p.errors), key=lambda point: point.number)
    numbers = tuple(point.number for point in points)
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        return None
    positive = [number for number in numbers if number > 0]
    if len(positive) < 2:
        return None
    logarithmic = positive[-1] / positive[0] >= WIDE
    papers = papers_point(comparison, info)
    return CurveChart(
        field=comparison.varied[0],
        numbers=numbers,
        positions=_logarithms(numbers) if logarithmic else numbers,
        logarithmic=logarithmic,
        means=tuple(point.interval for point in points),
        seeds=tuple(point.errors for point in points),
        papers=papers.number if papers in points and papers else None,
        unit=info.unit,
    )


def ticks(data: CurveChart) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return positions and labels of the ticks, without those that would touch the previous one."""
    span = data.positions[-1] - data.positions[0]
    kept: list[int] = []
    for index, position in enumerate(data.positions):
        if not kept or position - data.positions[kept[-1]] >= TICK_GAP * span:
            kept.append(index)
    return tuple(data.positions[i] for i in kept), tuple(f"{data.numbers[i]:g}" for i in kept)


def draw(data: CurveChart) -> go.Figure:
    """Draw the curve as a plotly figure."""
    figure = style.bare_figure(height=340)
    for number, position, seeds in zip(data.numbers, data.positions, data.seeds, strict=True):
        figure.add_scatter(
            x=[position] * len(seeds),
            y=list(seeds.values()),
            mode="markers",
            marker={"color": style.OTHERS, "size": 6, "opacity": 0.7},
            hovertext=[_hover(data, number, f"seed {seed}", value) for seed, value in seeds.items()],
            hoverinfo="text",
        )
    apart = 1 if data.zero_apart else 0
    for part in (slice(0, apart), slice(apart, None)):  # no line leads to a 0 that stands apart
        _add_means(figure, data, part)
    _add_papers_choice(figure, data)
    positions, labels = ticks(data)
    margin = 0.04 * (data.positions[-1] - data.positions[0])
    how = ", by logarithm" if data.logarithmic else ""
    figure.update_xaxes(
        title={"text": escape(data.field) + how, "standoff": 6},
        tickvals=positions,
        ticktext=labels,
        range=[data.positions[0] - margin, data.positions[-1] + margin],
    )
    figure.update_yaxes(title={"text": f"validation MAE, {data.unit}", "standoff": 6})
    return figure


def _add_means(figure: go.Figure, data: CurveChart, part: slice) -> None:
    means, numbers = data.means[part], data.numbers[part]
    figure.add_scatter(
        x=data.positions[part],
        y=[mean.mean for mean in means],
        mode="lines+markers",
        line={"color": style.FRONT, "width": 1.5},
        marker={"color": style.FRONT, "size": 9},
        error_y={
            "array": [mean.high - mean.mean if math.isfinite(mean.high) else 0.0 for mean in means],
            "color": style.FRONT,
            "thickness": 1.5,
            "width": 4,
        },
        hovertext=[
            _hover(data, number, "mean", mean.mean) for number, mean in zip(numbers, means, strict=True)
        ],
        hoverinfo="text",
    )


def _add_papers_choice(figure: go.Figure, data: CurveChart) -> None:
    """Add a vertical dotted line, with its label on the side that has room for it."""
    if data.papers is None:
        return
    position = data.positions[data.numbers.index(data.papers)]
    right_half = position > (data.positions[0] + data.positions[-1]) / 2
    figure.add_vline(
        x=position,
        line={"color": style.PUBLISHED, "width": 1.5, "dash": "dot"},
        annotation={"text": "the paper's", "font": {"color": style.PUBLISHED}, "yanchor": "bottom"},
        annotation_position="top left" if right_half else "top right",
    )
    figure.update_layout(margin={"t": 24})


def _hover(data: CurveChart, number: float, what: str, value: float) -> str:
    return f"<b>{escape(data.field)} {number:g}</b><br>{what}: {error(value, data.unit)} {data.unit}"


def _logarithms(numbers: Sequence[float]) -> tuple[float, ...]:
    """Return decimal logarithms; a 0 is placed left of the smallest, by ``GAP`` of their span."""
    positive = [math.log10(number) for number in numbers if number > 0]
    zero = positive[0] - GAP * (positive[-1] - positive[0])
    return tuple(math.log10(number) if number > 0 else zero for number in numbers)
