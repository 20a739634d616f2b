"""Validation error against the epoch: the front's members in colour, the others in grey."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from reports.cells import rows_of
from reports.figures import style
from reports.trials import Standing
from suite.runs import Run


#: Of the curves off the front so many are drawn at most, evenly spread.
MOST_OTHERS = 120


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
    """All curves, the front's last and by size, and the error of a constant prediction."""

    curves: tuple[Curve, ...]
    unit: str
    constant_val_mae: float
    left_out: int = 0  # of the curves off the front


def collect(run: Run, standing: Standing) -> LearningCurves:
    """Gather the curves of the search's trials that ended, however they did, after at least one epoch."""
    front = {trial.id: rank for rank, trial in enumerate(standing.front)}
    status = {trial.id: trial.status for trial in standing.trials}
    curves = []
    confirming = {row["id"] for row in rows_of(run, "confirm")}  # another seed's curve tells nothing new
    groups = run.epochs.groupby("id", sort=True) if len(run.epochs) else ()
    for trial_id, rows in groups:
        rows = rows.sort_values("epoch")
        epochs = tuple(int(epoch) for epoch in rows["epoch"])
        values = tuple(float(value) for value in rows[run.info.error_column])
        name = str(trial_id)
        if name in confirming:
            continue
        # A trial's epochs are written just before its row, so that a kill can leave them without one.
        curves.append(Curve(name, epochs, values, name in front, status.get(name, "no result recorded")))
    curves.sort(key=lambda curve: front.get(curve.id, -1))
    others = [curve for curve in curves if not curve.on_front]
    kept = others[:: max(1, math.ceil(len(others) / MOST_OTHERS))]
    return LearningCurves(
        (*kept, *(curve for curve in curves if curve.on_front)),
        run.info.unit,
        run.info.data.constant_val_mae,
        len(others) - len(kept),
    )


def draw(data: LearningCurves) -> go.Figure:
    """The curves as a plotly figure, the error on a logarithmic axis."""
    front = [curve for curve in data.curves if curve.on_front]
    figure = style.bare_figure(height=400 + 11 * len(front))
    grey = {"color": style.OTHERS, "width": 1}
    first = True
    for curve in data.curves:
        if not curve.on_front:
            _line(figure, curve, data.unit, grey, "others", first)
            first = False
    places = [rank / max(len(front) - 1, 1) for rank in range(len(front))]
    for curve, color in zip(front, sample_colorscale(style.BY_SIZE, places), strict=True):
        _line(figure, curve, data.unit, {"color": color, "width": 2.2}, escape(curve.id), True)
    values = [value for curve in data.curves for value in curve.val_mae if value > 0]
    legend = {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0, "font": {"size": 11}, "itemwidth": 30}
    longest = max([len("others"), *(len(curve.id) for curve in front)])
    figure.update_layout(showlegend=True, legend={**legend, "entrywidth": 6.5 * longest})
    figure.update_xaxes(title={"text": "epoch", "standoff": 6}, **_epoch_ticks(data.curves))
    if values:
        _error_axis(figure, data, values)
    return figure


def _line(
    figure: go.Figure, curve: Curve, unit: str, line: dict[str, object], name: str, legend: bool
) -> None:
    note = "" if curve.status == "finished" else f" ({escape(curve.status)})"
    figure.add_scatter(
        x=curve.epochs,
        y=[value if math.isfinite(value) else None for value in curve.val_mae],
        mode="lines+markers" if len(curve.epochs) == 1 else "lines",
        line=line,
        opacity=1.0 if curve.on_front else 0.55,
        name=name,
        legendgroup=name,
        showlegend=legend,
        hovertemplate=f"<b>{escape(curve.id)}</b>{note}<br>epoch %{{x}}: %{{y:.3~f}} {unit}<extra></extra>",
    )


def _epoch_ticks(curves: Sequence[Curve]) -> dict[str, object]:
    """Whole epochs only."""
    last = max((curve.epochs[-1] for curve in curves if curve.epochs), default=1)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if last / step <= 12)
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
