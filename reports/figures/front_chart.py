"""Validation error against a cost: the run's trials below, the paper's networks in a strip above.

The two have different vertical axes because they are errors on different data; they share the
horizontal one, because sizes are exact and compare.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import quantiles

import numpy as np
import plotly.graph_objects as go

from reports.comparison import mean_interval
from reports.figures import style
from reports.figures.labels import place
from reports.figures.panels import Panel
from reports.front import non_dominated
from reports.numerals import digits, error, exactly, quantity, ratio
from reports.published import PublishedNetwork, published
from reports.timing import PAPER_RESOLUTION, conditions
from reports.trials import Standing, Trial, reference
from suite.runs import RunInfo

#: The published data set to quote, by attribute.
QUOTED = {"age": "ChaLearn15", "attractiveness": "SCUT-FBP5500"}


@dataclass(frozen=True)
class Point:
    """A trial in a panel; ``low`` and ``high`` are the spread of ``x``, NaN where it is exact.

    ``y_low`` and ``y_high`` are the interval of a confirmed mean, NaN where there is none.
    """

    id: str
    x: float
    y: float
    low: float
    high: float
    hover: str
    y_low: float = math.nan
    y_high: float = math.nan


@dataclass(frozen=True)
class PublishedMark:
    """A published error at an exact size (or published speed-up); not measured here."""

    key: str
    label: str
    x: float
    y: float
    hover: str


@dataclass(frozen=True)
class FrontChart:
    """Everything that one panel shows; trials that cannot be shown are counted."""

    panel: Panel
    unit: str
    front: tuple[Point, ...]
    others: tuple[Point, ...]
    tiny: tuple[Point, ...]
    step: tuple[tuple[float, float], ...]
    must_label: tuple[str, ...]
    published: tuple[PublishedMark, ...]
    published_title: str
    guides: tuple[tuple[str, float], ...]  # the references' exact positions: name, x
    stopped: int
    diverged: int
    failed: int
    without_x: int  # finished, but this quantity was not measured


def collect(standing: Standing, info: RunInfo, panel: Panel) -> FrontChart:
    """Gather a panel: finished trials with a known cost, the panel's step line, the published marks."""
    finished = [trial for trial in standing.trials if trial.finished]
    shown = [trial for trial in finished if panel.cost(trial) > 0]
    front = [_point(trial, info, panel) for trial in shown if trial.on_front]
    chosen = (standing.best, standing.knee, standing.smallest)
    marks = _marks(info, panel)
    return FrontChart(
        panel=panel,
        unit=info.unit,
        front=tuple(front),
        others=tuple(_point(trial, info, panel) for trial in shown if not trial.on_front),
        tiny=tuple(_point(trial, info, panel) for trial in shown if trial.is_tiny),
        step=_step(front, panel.larger_is_better),
        must_label=tuple(dict.fromkeys(trial.id for trial in chosen if trial)),
        published=marks,
        published_title=QUOTED[info.attribute],
        guides=_guides(info, panel),
        stopped=standing.count("stopped"),
        diverged=standing.count("diverged"),
        failed=standing.count("failed"),
        without_x=len(finished) - len(shown),
    )


def draw(chart: FrontChart) -> go.Figure:
    """The panel as a plotly figure: run below (y), published strip above (y2), one logarithmic x."""
    lines = chart.panel.title.count("\n") + chart.panel.tick(1.0).count("<br>")  # beyond the usual two
    below = 18 * lines  # pixels
    figure = style.bare_figure(height=430 + below)
    figure.update_layout(margin_b=46 + below)
    x_range, y_range = _ranges(chart)
    figure.update_layout(
        xaxis=_x_axis(chart, x_range), yaxis=_run_axis(chart, y_range), yaxis2=_strip_axis(chart)
    )
    _draw_guides(figure, chart)
    _draw_trials(figure, chart, x_range, y_range)
    if chart.published:
        _draw_published(figure, chart, x_range)
    if not chart.front:
        text = "no finished trial" if not chart.without_x else "not measured yet"
        figure.add_annotation(
            text=text, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.33, font={"size": 15}
        )
    return figure


# --- collecting -------------------------------------------------------------------------------------


def _point(trial: Trial, info: RunInfo, panel: Panel) -> Point:
    speedup = trial.timing.speedup
    spread = (speedup.low, speedup.high) if panel.key == "speedup" else (math.nan, math.nan)
    at_224 = (
        f", {quantity(trial.macs_at_224)} at 224 px" if trial.recipe.resolution != PAPER_RESOLUTION else ""
    )
    lines = [
        f"<b>{escape(trial.id)}</b>{' on the front' if trial.on_front else ''}",
        *_errors(trial, info),
        *map(escape, trial.design),
        f"{exactly(trial.params)} parameters, {quantity(trial.bytes, 'B')}",
        f"{quantity(trial.macs)} multiply-adds at {trial.recipe.resolution} px{at_224}",
    ]
    if trial.recipe.method != "dldl-v2":
        lines.insert(2, f"method {escape(trial.recipe.method)}")
    if trial.timing.known:
        lines.append(
            f"{digits(trial.timing.ms)} ms an image at {escape(conditions(info, (trial.timing.side,)))}"
        )
        lines.append(
            f"{ratio(speedup.value)} as fast as VGG-16, {digits(speedup.low)} to {digits(speedup.high)}"
        )
    return Point(trial.id, panel.cost(trial), trial.error, *spread, "<br>".join(lines), *_interval(trial))


def _interval(trial: Trial) -> tuple[float, float]:
    """The ends of the interval of a confirmed mean; NaN where there is no such mean, or no spread."""
    errors = list(trial.confirmed.errors.values()) if trial.confirmed else []
    found = mean_interval(errors) if len(errors) > 1 else None
    return (found.low, found.high) if found else (math.nan, math.nan)


def _errors(trial: Trial, info: RunInfo) -> list[str]:
    """The validation error in words: of the search, or of the confirmation and then of the search."""
    searched = f"validation MAE {error(trial.val_mae, info.unit)} {info.unit}"
    if not trial.confirmed or not trial.confirmed.errors:
        return [searched]
    seeds = len(trial.confirmed.errors)
    mean = f"confirmed validation MAE {error(trial.error, info.unit)} {info.unit}"
    return [f"{mean}, mean of {seeds} new seed{'s' * (seeds > 1)}", f"in the search {searched}"]


def _step(front: Sequence[Point], larger_is_better: bool) -> tuple[tuple[float, float], ...]:
    """The points of the front that no other beats in this panel's two quantities, by rising x."""
    if not front:
        return ()
    sign = -1.0 if larger_is_better else 1.0
    members = non_dominated(np.array([[sign * point.x, point.y] for point in front]))
    return tuple(sorted((p.x, p.y) for p, member in zip(front, members, strict=True) if member))


def _exact_x(info: RunInfo, panel: Panel, network: PublishedNetwork) -> float:
    """Where a network of the paper lies: counted exactly, or its published speed-up; NaN where unknown."""
    if panel.key == "speedup":
        return network.speedup_vs_vgg16.value if network.speedup_vs_vgg16 else math.nan
    counted = reference(info, network.key) if panel.references else None
    return float(getattr(counted, panel.key)) if counted else math.nan


def _guides(info: RunInfo, panel: Panel) -> tuple[tuple[str, float], ...]:
    """Vertical lines at exact sizes; of the speed-ups, which are another machine's, VGG-16's 1 alone."""
    networks = [n for n in published().networks.values() if panel.key != "speedup" or n.key == "vgg16"]
    places = [(network.name, _exact_x(info, panel, network)) for network in networks]
    return tuple((name, x) for name, x in places if x > 0)


def _marks(info: RunInfo, panel: Panel) -> tuple[PublishedMark, ...]:
    marks = []
    for network in published().networks.values():
        x = _exact_x(info, panel, network)
        for quoted in network.errors_on(QUOTED[info.attribute]):
            external = ", ext." if "with external" in quoted.note else ""
            hover = (
                f"<b>{network.name}: published, not measured here</b><br>"
                f"MAE {quoted.value} {quoted.unit} on {quoted.data} ({quoted.note})"
            )
            marks.append(PublishedMark(network.key, network.name + external, x, quoted.value, hover))
    return tuple(mark for mark in marks if mark.x > 0)


# --- drawing ----------------------------------------------------------------------------------------

STRIP = (0.74, 1.0)  # share of the height
RUN = (0.0, 0.68)
PLOT_PIXELS = (500, 255)  # about, of the run's part, for placing labels


def _ranges(chart: FrontChart) -> tuple[tuple[float, float], tuple[float, float]]:
    """Log10 range of x, over trials and references; range of y, over trials without far outliers."""
    xs = [p.x for p in (*chart.front, *chart.others)] + [m.x for m in chart.published]
    xs += [end for p in (*chart.front, *chart.others) for end in (p.low, p.high) if end > 0]
    xs += [x for _, x in chart.guides] or ([1.0, 10.0] if not xs else [])
    low, high = math.log10(min(xs)), math.log10(max(xs))
    pad = 0.07 * (high - low) + 0.02
    ys = sorted(p.y for p in (*chart.front, *chart.others))
    if not ys:
        return (low - pad, high + pad), (0.0, 1.0)
    best_of_rest = quantiles(ys, n=4)[2] if len(ys) > 3 else ys[-1]
    top = max(best_of_rest, *(p.y for p in chart.front)) if chart.front else best_of_rest
    top = min(ys[-1], top + 0.35 * (top - ys[0]))
    room = 0.12 * (top - ys[0]) or 0.1 * top or 1.0
    return (low - pad, high + pad), (ys[0] - room, top + room)


def _x_axis(chart: FrontChart, x_range: tuple[float, float]) -> dict[str, object]:
    ticks, texts = style.log_ticks(10 ** x_range[0], 10 ** x_range[1], chart.panel.tick)
    return {
        "type": "log", "range": list(x_range), "tickvals": ticks, "ticktext": texts, "anchor": "y",
        "title": {"text": escape(chart.panel.title).replace("\n", "<br>"), "standoff": 8},
    }  # fmt: skip


def _run_axis(chart: FrontChart, y_range: tuple[float, float]) -> dict[str, object]:
    title = f"validation MAE, {chart.unit}"
    return {
        "range": list(y_range), "domain": list(RUN), "nticks": 7, "title": {"text": title, "standoff": 6},
        "showticklabels": bool(chart.front or chart.others),
    }  # fmt: skip


def _strip_axis(chart: FrontChart) -> dict[str, object]:
    ys = [mark.y for mark in chart.published] or [0.0, 1.0]
    room = 0.3 * (max(ys) - min(ys)) or 0.1
    return {
        "domain": list(STRIP), "anchor": "x", "range": [min(ys) - 1.4 * room, max(ys) + room], "nticks": 4,
        "visible": bool(chart.published), "tickfont": {"color": style.PUBLISHED}, "showgrid": False,
        "title": {"text": "MAE", "standoff": 6, "font": {"color": style.PUBLISHED}},
    }  # fmt: skip


def _draw_guides(figure: go.Figure, chart: FrontChart) -> None:
    for _, x in chart.guides:
        line = {"color": style.PUBLISHED, "width": 1, "dash": "dot"}
        ends = {"x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "paper"}
        figure.add_shape(type="line", **ends, line=line, opacity=0.55, layer="below")


def _draw_trials(
    figure: go.Figure, chart: FrontChart, x_range: tuple[float, float], y_range: tuple[float, float]
) -> None:
    others = {"color": style.OTHERS, "size": 8, "opacity": 0.65}
    _scatter(figure, chart.others, "dominated trials", others, y_range)
    if len(chart.step) > 1:
        xs, ys = zip(*chart.step, strict=True)
        shape = "vh" if chart.panel.larger_is_better else "hv"
        line = {"color": style.FRONT, "width": 1.5, "shape": shape}
        figure.add_scatter(x=xs, y=ys, mode="lines", line=line, name="front", hoverinfo="skip", opacity=0.7)
    front = {"color": style.FRONT, "size": 11, "line": {"width": 1.5, "color": style.GROUND}}
    _scatter(figure, chart.front, "on the front", front, y_range)
    _label_front(figure.data[-1], chart, x_range, y_range)
    # A ring, so that what it marks shows through: on the front or not.
    tiny = {"color": style.TINY, "size": 19, "symbol": "circle-open", "line": {"width": 2.5}}
    _scatter(figure, chart.tiny, "TinyAgeNet, trained here", tiny, y_range)


def _scatter(
    figure: go.Figure,
    points: Sequence[Point],
    name: str,
    marker: dict[str, object],
    y_range: tuple[float, float],
) -> None:
    """Markers; what lies above the axis is a triangle at its edge, and its hover text has the value."""
    bottom, top = y_range[0], y_range[1] - 0.03 * (y_range[1] - y_range[0])
    symbols = ["triangle-up-open" if p.y > top else marker.get("symbol", "circle") for p in points]
    spread = [(p.high - p.x, p.x - p.low) if p.high > p.low else (0.0, 0.0) for p in points]
    reach = [_within(p, bottom, top) for p in points]
    figure.add_scatter(
        x=[p.x for p in points],
        y=[min(p.y, top) for p in points],
        mode="markers",
        marker={**marker, "symbol": symbols},
        error_x={
            "type": "data", "array": [up for up, _ in spread], "arrayminus": [down for _, down in spread],
            "thickness": 1, "width": 0, "color": marker["color"], "visible": any(up for up, _ in spread),
        },
        error_y={
            "type": "data", "array": [up for up, _ in reach], "arrayminus": [down for _, down in reach],
            "thickness": 1, "width": 3, "color": marker["color"], "visible": any(d for _, d in reach),
        },
        hovertext=[p.hover for p in points],
        hoverinfo="text",
        name=name,
        legendgroup="this run",
        legendgrouptitle={"text": "this run"},
        cliponaxis=False,
    )  # fmt: skip


def _within(point: Point, bottom: float, top: float) -> tuple[float, float]:
    """How far up and down the interval of its error reaches, cut off at the chart's edges."""
    if not point.y_high > point.y_low:
        return 0.0, 0.0
    return max(0.0, min(point.y_high, top) - point.y), max(0.0, point.y - max(point.y_low, bottom))


def _label_front(
    trace: go.Scatter, chart: FrontChart, x_range: tuple[float, float], y_range: tuple[float, float]
) -> None:
    """Ids beside the front's members, best, knee and smallest first; ``meta.few`` is for narrow screens."""

    def pixels(point: Point) -> tuple[float, float]:
        across = (math.log10(point.x) - x_range[0]) / (x_range[1] - x_range[0])
        up = (point.y - y_range[0]) / (y_range[1] - y_range[0])
        return across * PLOT_PIXELS[0], up * PLOT_PIXELS[1]

    order = sorted(range(len(chart.front)), key=lambda i: chart.front[i].id not in chart.must_label)
    ids = [chart.front[i].id for i in order]
    others = [pixels(point) for point in (*chart.others, *chart.tiny)]
    must = sum(point.id in chart.must_label for point in chart.front)
    positions = place([pixels(chart.front[i]) for i in order], ids, others, must)
    found = dict(zip(order, positions, strict=True))
    texts = [escape(p.id) if found[i] else "" for i, p in enumerate(chart.front)]
    few = [text if p.id in chart.must_label else "" for text, p in zip(texts, chart.front, strict=True)]
    trace.update(
        mode="markers+text",
        text=texts,
        textposition=[found[i] or "top right" for i in range(len(chart.front))],
        textfont={"size": 11},
        meta={"all": texts, "few": few},
    )


def _draw_published(figure: go.Figure, chart: FrontChart, x_range: tuple[float, float]) -> None:
    strip = {"xref": "paper", "yref": "paper", "x0": 0, "x1": 1, "y0": STRIP[0], "y1": STRIP[1]}
    tint = {"fillcolor": style.PUBLISHED, "opacity": 0.08, "line_width": 0, "layer": "below"}
    figure.add_shape(type="rect", **strip, **tint)
    figure.add_scatter(
        x=[mark.x for mark in chart.published],
        y=[mark.y for mark in chart.published],
        yaxis="y2",
        mode="markers+text",
        marker={"symbol": "diamond-open", "size": 11, "color": style.PUBLISHED, "line": {"width": 2}},
        text=[mark.label for mark in chart.published],
        textposition=_mark_positions(chart, x_range),
        textfont={"color": style.PUBLISHED, "size": 11},
        hovertext=[mark.hover for mark in chart.published],
        hoverinfo="text",
        name="published, not measured here",
        legendgroup="published",
        legendgrouptitle={"text": "published, not measured here"},
        cliponaxis=False,
    )
    figure.add_annotation(
        text=f"published, not measured here: {chart.published_title}",
        showarrow=False, xref="paper", yref="paper", x=0, y=STRIP[1], xanchor="left", yanchor="bottom",
        font={"size": 11, "color": style.PUBLISHED},
    )  # fmt: skip
    figure.update_layout(margin_t=26)


def _mark_positions(chart: FrontChart, x_range: tuple[float, float]) -> list[str]:
    """Labels go beside their marks, away from a near edge; of two close networks, Thin's goes below."""
    answer = []
    for mark in chart.published:
        across = (math.log10(mark.x) - x_range[0]) / (x_range[1] - x_range[0])
        side = "right" if across < (0.7 if chart.panel.larger_is_better else 0.3) else "left"
        if mark.key == "thin":
            answer.append("bottom center")
        elif mark.label.endswith("ext."):
            answer.append(f"top {side}")
        else:
            answer.append(f"middle {side}")
    return answer
