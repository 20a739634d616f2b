"""The main charts as static SVG, shown without JavaScript and until plotly.js has loaded."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from reports.figures.learning_curves import LearningCurves
from reports.figures.style import log_ticks
from reports.formatting import tick
from reports.model.front_lines import lineage, unbeaten
from reports.model.growth import Growth
from reports.model.shared_weights import SharedWeights
from reports.model.training_length import is_confirmed, training_length
from reports.model.trials import FrontSummary, Trial
from reports.model.within_tolerance import Verdict
from suite.runs.info import RunInfo

WIDTH, HEIGHT = 760, 360  # in the picture's own units
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 14, 46
#: Of the trials off the front, one is drawn per square of this side, in the picture's units; it hides the others.
CELL = 6.0


@dataclass(frozen=True)
class _Axis:
    """A linear or logarithmic scale from values to the picture's units."""

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


def front_picture(
    info: RunInfo,
    summary: FrontSummary,
    shared: SharedWeights | None = None,
    found: Verdict | None = None,
) -> Markup:
    """Draw validation MAE against parameters: the front, other trials, compressed networks and their lineage.

    Filled marks are confirmed, hollow ones of a single training. Where weights are shared, the front of the scored
    slices is there as well, as far as it is not above the picture. With a verdict on confirmed members, those that
    cannot be told apart from the best have a halo, and the answer a ring.
    """
    finished = [t for t in summary.trials if _is_drawn(t)]
    relatives = [t for t in summary.relatives if _is_drawn(t)]
    front = [t for t in summary.front if _is_drawn(t)]
    if not finished:
        return Markup("")
    errors = sorted(t.error for t in (*finished, *relatives))
    nine_tenths = errors[min(len(errors) - 1, int(0.9 * len(errors)))]
    top = max([nine_tenths, *(t.error for t in finished if t.on_front)])
    sizes = [t.params for t in (*finished, *relatives)]
    x = _Axis(min(sizes) / 1.2, max(sizes) * 1.2, LEFT, WIDTH - RIGHT, log=True)
    margin = 0.08 * (top - errors[0]) or 0.05 * top
    y = _Axis(errors[0] - margin, top + margin, HEIGHT - BOTTOM, TOP, log=False)
    off = [t for t in finished if not t.on_front]
    quiet = _spread([(x.at(t.params), y.at(t.error)) for t in off if not is_confirmed(t)])
    again = [(x.at(t.params), y.at(t.error)) for t in off if is_confirmed(t)]
    perhaps_best = [t for t in finished if found and t.id in found.perhaps_best]
    chosen = [found.choice] if found and found.choice and _is_drawn(found.choice) else []
    slices = [(x.at(s.params), y.at(s.val_mae)) for s in shared.front if s.val_mae < y.high] if shared else []
    parts = [
        *_frame(x, y, "parameters", f"{training_length(summary).title}, {info.unit}", tick),
        *(_circle(across, up, 2, "slice") for across, up in _spread(slices)),
        *(_circle(across, up, 3, "off") for across, up in quiet),
        *(_circle(across, up, 4, "again") for across, up in again),
        *(_circle(x.at(t.params), y.at(t.error), 12, "alike") for t in perhaps_best),
        *_unbeaten_line(front, x, y),
        *(
            _lineage_line(parent, child, x, y)
            for parent, child in lineage(summary)
            if _is_drawn(parent) and _is_drawn(child)
        ),
        *(_member(trial, x, y) for trial in front),
        *(_circle(x.at(t.params), y.at(t.error), 9, "ship") for t in chosen),
        *(_made(trial, x, y) for trial in relatives),
    ]
    return _picture("Validation MAE against parameters", parts)


def growth_picture(grown: Growth | None) -> Markup:
    """Draw the front's hypervolume as the search went on; empty without one."""
    if grown is None or len(grown.ended) < 2:
        return Markup("")
    x = _Axis(grown.ended[0], grown.ended[-1], LEFT, WIDTH - RIGHT, log=False)
    y = _Axis(min(grown.shares) * 0.98, max(grown.shares) * 1.01, HEIGHT - BOTTOM, TOP, log=False)
    points = " ".join(f"{x.at(e):.1f},{y.at(s):.1f}" for e, s in zip(grown.ended, grown.shares, strict=True))
    parts = [
        *_frame(x, y, "trials that had ended", "hypervolume of the front", "{:.4g}".format),
        _line("front", points),
    ]
    return _picture("Hypervolume of the front as the search went on", parts)


def curves_picture(data: LearningCurves) -> Markup:
    """Draw validation MAE after each epoch, the front's members in blue; empty without an epoch."""
    values = [value for curve in data.curves for value in curve.val_mae if math.isfinite(value)]
    if not values:
        return Markup("")
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
        lines.append(_line("front" if curve.on_front else "other", points))
    frame = _frame(x, y, "epoch", f"validation MAE, {data.unit}", "{:g}".format)
    return _picture("Validation MAE after each epoch", [*frame, *lines])


def _picture(title: str, parts: Iterable[Markup]) -> Markup:
    svg = Markup('<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return svg.format(WIDTH, HEIGHT, title, Markup("").join(parts))


def _frame(x: _Axis, y: _Axis, across: str, up: str, label: Callable[[float], str]) -> Iterable[Markup]:
    """Yield axes with ticks and titles; ``label`` formats the ticks of the horizontal axis."""
    yield _path("axis", f"M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}")
    ticks = log_ticks(x.low, x.high, label) if x.log else _ticks(x.low, x.high, label)
    for value, text in zip(*ticks, strict=True):
        yield _text(x.at(value), HEIGHT - BOTTOM + 18, text, "middle")
    for value, text in zip(*_ticks(y.low, y.high, "{:.4g}".format), strict=True):
        yield _text(LEFT - 8, y.at(value) + 4, text, "end")
        yield _path("grid", f"M{LEFT} {y.at(value):.1f}H{WIDTH - RIGHT}")
    yield _text((LEFT + WIDTH) / 2, HEIGHT - 8, across, "middle")
    turned = Markup('<text transform="translate(14 {:.0f}) rotate(-90)" class="middle">{}</text>')
    yield turned.format(HEIGHT / 2, up)


def _ticks(low: float, high: float, label: Callable[[float], str]) -> tuple[list[float], list[str]]:
    """Return about five round values between two."""
    if not high > low:
        return [low], [label(low)]
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    values = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return values, [label(value) for value in values]


def _unbeaten_line(front: Sequence[Trial], x: _Axis, y: _Axis) -> Iterable[Markup]:
    """Yield the line through the members that are unbeaten in error and parameters."""
    path = ""
    for trial in unbeaten(front, "params"):
        across, up = x.at(trial.params), y.at(trial.error)
        path += f"H{across:.1f}V{up:.1f}" if path else f"M{across:.1f} {up:.1f}"
    if path:
        yield _path("front", path)


def _member(trial: Trial, x: _Axis, y: _Axis) -> Markup:
    across, up = x.at(trial.params), y.at(trial.error)
    return _circle(across, up, 5, "member" if is_confirmed(trial) else "single") + _text(
        across + 7, up - 6, trial.id
    )


def _made(trial: Trial, x: _Axis, y: _Axis) -> Markup:
    across, up = x.at(trial.params), y.at(trial.error)
    path = Markup('<path class="made" d="M{:.1f} {:.1f}h10l-5 9z"><title>{}, {}</title></path>')
    return path.format(across - 5, up - 4, trial.id, trial.stage)


def _text(x: float, y: float, text: str, css_class: str = "") -> Markup:
    named = Markup(' class="{}"').format(css_class) if css_class else ""
    return Markup('<text x="{:.1f}" y="{:.1f}"{}>{}</text>').format(x, y, named, text)


def _path(css_class: str, path: str) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(css_class, path)


def _line(css_class: str, points: str) -> Markup:
    return Markup('<polyline points="{}" class="{}"/>').format(points, css_class)


def _circle(x: float, y: float, radius: int, css_class: str) -> Markup:
    return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" class="{}"/>').format(x, y, radius, css_class)


def _lineage_line(parent: Trial, child: Trial, x: _Axis, y: _Axis) -> Markup:
    begin = f"M{x.at(parent.params):.1f} {y.at(parent.error):.1f}"
    return _path("lineage", f"{begin}L{x.at(child.params):.1f} {y.at(child.error):.1f}")


def _is_drawn(trial: Trial) -> bool:
    return trial.finished and trial.params > 0


def _spread(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep one point per grid cell."""
    if not points:
        return []
    coordinates = np.array(points)
    _, first = np.unique(np.floor(coordinates / CELL), axis=0, return_index=True)
    return [points[row] for row in sorted(first.tolist())]
