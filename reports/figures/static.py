"""The main charts as small static pictures, for a reader without JavaScript, and until plotly.js is there."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from reports.figures.learning_curves import LearningCurves
from reports.figures.style import log_ticks
from reports.formatting import tick
from reports.model.growth import Growth
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo

WIDTH, HEIGHT = 760, 360  # in the picture's own units
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 14, 46
#: Of the trials off the front, one is drawn for each square of so many units; the others lie under it.
CELL = 6.0


@dataclass(frozen=True)
class _Axis:
    """A scale from values to the picture's units; ``log`` for powers of ten."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        low, high, here = (map(math.log10, (self.low, self.high, value)) if self.log
                           else (self.low, self.high, value))  # fmt: skip
        share = (here - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def front_picture(info: RunInfo, summary: FrontSummary) -> str:
    """Validation MAE against parameters: the front, what is off it, its kin, and lines between them."""
    finished = [t for t in summary.trials if t.finished and t.params > 0]
    kin = [t for t in summary.kin if t.finished and t.params > 0]
    if not finished:
        return ""
    errors = sorted(t.error for t in (*finished, *kin))
    top = max(
        errors[min(len(errors) - 1, int(0.9 * len(errors)))], *(t.error for t in finished if t.on_front)
    )
    sizes = [t.params for t in (*finished, *kin)]
    x = _Axis(min(sizes) / 1.2, max(sizes) * 1.2, LEFT, WIDTH - RIGHT, log=True)
    room = 0.08 * (top - errors[0]) or 0.05 * top
    y = _Axis(errors[0] - room, top + room, HEIGHT - BOTTOM, TOP, log=False)
    quiet = _spread([(x.at(t.params), y.at(t.error)) for t in finished if not t.on_front])
    parts = [
        *_frame(x, y, "parameters", f"validation MAE, {info.unit}", tick),
        *(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" class="off"/>' for a, b in quiet),
        *_steps(summary.front, x, y),
        *_lineage([*summary.front, *kin], {t.id: t for t in (*finished, *kin)}, x, y),
        *(_member(trial, x, y) for trial in summary.front),
        *(_made(trial, x, y) for trial in kin),
    ]
    return _picture("Validation MAE against parameters", parts)


def growth_picture(grown: Growth | None) -> str:
    """The front's hypervolume after so many trials; empty where there is none."""
    if grown is None or len(grown.ended) < 2:
        return ""
    x = _Axis(grown.ended[0], grown.ended[-1], LEFT, WIDTH - RIGHT, log=False)
    y = _Axis(min(grown.shares) * 0.98, max(grown.shares) * 1.01, HEIGHT - BOTTOM, TOP, log=False)
    points = " ".join(f"{x.at(e):.1f},{y.at(s):.1f}" for e, s in zip(grown.ended, grown.shares, strict=True))
    parts = [
        *_frame(x, y, "trials that had ended", "hypervolume of the front", "{:.4g}".format),
        f'<polyline points="{points}" class="front"/>',
    ]
    return _picture("Hypervolume of the front as the search went on", parts)


def curves_picture(data: LearningCurves) -> str:
    """Validation MAE after each epoch, the front's members in blue; empty without an epoch."""
    values = [value for curve in data.curves for value in curve.val_mae if math.isfinite(value)]
    if not values:
        return ""
    last = max(curve.epochs[-1] for curve in data.curves)
    x = _Axis(1, max(last, 2), LEFT, WIDTH - RIGHT, log=False)
    y = _Axis(min(values), max(values), HEIGHT - BOTTOM, TOP, log=False)
    lines = []
    for curve in data.curves:
        points = " ".join(
            f"{x.at(epoch):.1f},{y.at(value):.1f}"
            for epoch, value in zip(curve.epochs, curve.val_mae, strict=True)
            if math.isfinite(value)
        )
        lines.append(f'<polyline points="{points}" class="{"front" if curve.on_front else "other"}"/>')
    frame = _frame(x, y, "epoch", f"validation MAE, {data.unit}", "{:g}".format)
    return _picture("Validation MAE after each epoch", [*frame, *lines])


def _picture(title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg class="picture" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def _frame(x: _Axis, y: _Axis, across: str, up: str, label: Callable[[float], str]) -> Iterable[str]:
    """Axes with ticks and titles; ``label`` is for the ticks below."""
    yield f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
    ticks = log_ticks(x.low, x.high, label) if x.log else _ticks(x.low, x.high, label)
    for value, text in zip(*ticks, strict=True):
        yield f'<text x="{x.at(value):.1f}" y="{HEIGHT - BOTTOM + 18}" class="middle">{escape(text)}</text>'
    for value, text in zip(*_ticks(y.low, y.high, "{:.4g}".format), strict=True):
        yield f'<text x="{LEFT - 8}" y="{y.at(value) + 4:.1f}" class="end">{escape(text)}</text>'
        yield f'<path class="grid" d="M{LEFT} {y.at(value):.1f}H{WIDTH - RIGHT}"/>'
    yield f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" class="middle">{escape(across)}</text>'
    yield f'<text transform="translate(14 {HEIGHT / 2:.0f}) rotate(-90)" class="middle">{escape(up)}</text>'


def _ticks(low: float, high: float, label: Callable[[float], str]) -> tuple[list[float], list[str]]:
    """About five round values between two."""
    if not high > low:
        return [low], [label(low)]
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    values = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return values, [label(value) for value in values]


def _steps(front: Sequence[Trial], x: _Axis, y: _Axis) -> Iterable[str]:
    """The line that joins those that are unbeaten in error and parameters."""
    best, path = math.inf, ""
    for trial in sorted(front, key=lambda t: (t.params, t.error)):
        if trial.error < best:
            best, place = trial.error, x.at(trial.params)
            path += f"H{place:.1f}V{y.at(best):.1f}" if path else f"M{place:.1f} {y.at(best):.1f}"
    if path:
        yield f'<path class="front" d="{path}"/>'


def _member(trial: Trial, x: _Axis, y: _Axis) -> str:
    a, b = x.at(trial.params), y.at(trial.error)
    return (
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="5" class="member"/>'
        f'<text x="{a + 7:.1f}" y="{b - 6:.1f}">{escape(trial.id)}</text>'
    )


def _made(trial: Trial, x: _Axis, y: _Axis) -> str:
    a, b = x.at(trial.params), y.at(trial.error)
    mark = f"M{a - 5:.1f} {b - 4:.1f}h10l-5 9z"
    return f'<path class="made" d="{mark}"><title>{escape(trial.id)}, {escape(trial.stage)}</title></path>'


def _lineage(children: Iterable[Trial], parents: Mapping[str, Trial], x: _Axis, y: _Axis) -> Iterable[str]:
    """A line from each to what it was made from."""
    for trial in children:
        if (parent := parents.get(trial.parent)) is not None:
            begin = f"M{x.at(parent.params):.1f} {y.at(parent.error):.1f}"
            yield f'<path class="lineage" d="{begin}L{x.at(trial.params):.1f} {y.at(trial.error):.1f}"/>'


def _spread(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """One point of each cell."""
    if not points:
        return []
    places = np.array(points)
    _, first = np.unique(np.floor(places / CELL), axis=0, return_index=True)
    return [points[row] for row in sorted(first.tolist())]
