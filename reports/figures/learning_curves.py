"""Learning curves: validation error against epoch, the front's members in colour, the others in grey."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from reports.figures import style
from reports.model.cells import rows_of
from reports.model.trials import FrontSummary
from suite.runs.tables import Run

#: At most this many curves off the front are drawn, evenly spread.
MOST_OTHERS = 120
#: At most about this many curves of the front are drawn, evenly spread by size.
MOST_MEMBERS = 24


@dataclass(frozen=True)
class Curve:
    """One training: validation MAE, in the run's unit, after each epoch that ended."""

    id: str
    epochs: tuple[int, ...]
    val_mae: tuple[float, ...]
    on_front: bool
    status: str


@dataclass(frozen=True)
class LearningCurves:
    """All curves, those of the front last and by size, and the error of a constant prediction."""

    curves: tuple[Curve, ...]
    unit: str
    constant_val_mae: float
    left_out: int = 0  # curves that are not drawn


def collect(run: Run, summary: FrontSummary) -> LearningCurves:
    """Gather the curves of all trials of the search with at least one epoch, whatever their status."""
    members = summary.front[:: max(1, math.ceil(len(summary.front) / MOST_MEMBERS))]
    front = {trial.id: rank for rank, trial in enumerate(members)}
    unseen = {trial.id for trial in summary.front} - front.keys()
    status = {trial.id: trial.status for trial in summary.trials}
    # Another seed's curve tells nothing new, and that of an elastic network is of many networks.
    apart = {row["id"] for stage in ("confirm", "elastic") for row in rows_of(run, stage)}
    if not len(run.epochs):
        return LearningCurves((), run.info.unit, run.info.data.constant_val_mae)
    ids = sorted({str(name) for name in run.epochs["id"].unique()} - apart)
    others = [name for name in ids if name not in front and name not in unseen]
    kept = others[:: max(1, math.ceil(len(others) / MOST_OTHERS))]
    shown = [*kept, *sorted((name for name in ids if name in front), key=lambda name: front[name])]
    rows = run.epochs[run.epochs["id"].isin(shown)].sort_values("epoch")
    by_id = {str(name): found for name, found in rows.groupby("id")}
    curves = tuple(
        Curve(
            id=name,
            epochs=tuple(int(epoch) for epoch in by_id[name]["epoch"]),
            val_mae=tuple(by_id[name][run.info.error_column].to_numpy(float).tolist()),
            on_front=name in front,
            # A trial's epochs are written just before its row, so that a kill can leave them without one.
            status=status.get(name, "no result recorded"),
        )
        for name in shown
    )
    return LearningCurves(
        curves, run.info.unit, run.info.data.constant_val_mae, left_out=len(ids) - len(shown)
    )


def draw(data: LearningCurves) -> go.Figure:
    """Draw the curves as a plotly figure with a logarithmic error axis."""
    front = [curve for curve in data.curves if curve.on_front]
    figure = style.bare_figure(height=400 + 11 * len(front))
    _others(figure, [curve for curve in data.curves if not curve.on_front], data.unit)
    positions = [rank / max(len(front) - 1, 1) for rank in range(len(front))]
    for curve, color in zip(front, sample_colorscale(style.BY_SIZE, positions), strict=True):
        _member(figure, curve, data.unit, {"color": color, "width": 2.2})
    values = [value for curve in data.curves for value in curve.val_mae if 0 < value < math.inf]
    legend = {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0, "font": {"size": 11}, "itemwidth": 30}
    longest = max([len("others"), *(len(curve.id) for curve in front)])
    figure.update_layout(showlegend=True, legend={**legend, "entrywidth": 6.5 * longest})
    figure.update_xaxes(title={"text": "epoch", "standoff": 6}, **_epoch_ticks(data.curves))
    if values:
        _error_axis(figure, data, values)
    return figure


def _others(figure: go.Figure, curves: Sequence[Curve], unit: str) -> None:
    """Add all curves off the front as one trace with gaps, since many traces are slow to draw."""
    if not curves:
        return
    figure.add_scatter(
        x=[epoch for curve in curves for epoch in (*curve.epochs, None)],
        y=[value for curve in curves for value in (*_known(curve), None)],
        text=[name for curve in curves for name in [_title(curve)] * (len(curve.epochs) + 1)],
        mode="lines+markers" if any(len(curve.epochs) == 1 for curve in curves) else "lines",
        line={"color": style.OTHERS, "width": 1},
        marker={"size": 3},
        opacity=0.55,
        name="others",
        hovertemplate=f"%{{text}}<br>epoch %{{x}}: %{{y:.3~f}} {unit}<extra></extra>",
    )


def _member(figure: go.Figure, curve: Curve, unit: str, line: dict[str, object]) -> None:
    figure.add_scatter(
        x=curve.epochs,
        y=_known(curve),
        mode="lines+markers" if len(curve.epochs) == 1 else "lines",
        line=line,
        name=escape(curve.id),
        text=[_title(curve)] * len(curve.epochs),  # in the template, plotly would replace %{...} of a name
        hovertemplate=f"%{{text}}<br>epoch %{{x}}: %{{y:.3~f}} {unit}<extra></extra>",
    )


def _known(curve: Curve) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in curve.val_mae]


def _title(curve: Curve) -> str:
    note = "" if curve.status == "finished" else f" ({escape(curve.status)})"
    return f"<b>{escape(curve.id)}</b>{note}"


def _epoch_ticks(curves: Sequence[Curve]) -> dict[str, object]:
    """Place ticks at whole epochs only."""
    last = max((curve.epochs[-1] for curve in curves if curve.epochs), default=1)
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if last / step <= 12), last // 12)
    return {"dtick": step, "tick0": 0 if step > 1 else 1, "range": [1 - 0.02 * last, last * 1.01 + 0.02]}


def _error_axis(figure: go.Figure, data: LearningCurves, values: Sequence[float]) -> None:
    low, high = min(values) / 1.05, max(values) * 1.05
    if 0.5 * high < data.constant_val_mae < 1.5 * high:  # worth seeing only where it is not far off
        high = max(high, data.constant_val_mae * 1.15)
        line = {"color": style.OTHERS, "dash": "dash", "width": 1.5}
        figure.add_hline(y=data.constant_val_mae, line=line)
        figure.add_annotation(
            text="a constant prediction", font={"size": 11}, showarrow=False,
            xref="paper", x=1, xanchor="right",
            y=math.log10(data.constant_val_mae), yanchor="bottom",  # plotly places by the logarithm
        )  # fmt: skip
    ticks, texts = style.log_ticks(low, high, "{:g}".format)
    figure.update_yaxes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=texts,
        title={"text": f"validation MAE, {data.unit}", "standoff": 6},
    )
