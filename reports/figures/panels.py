"""The costs that the run's errors are drawn against: a panel of the front each."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from reports.numerals import TIMES, digits, span, tick
from reports.timing import conditions
from reports.trials import Standing, Trial
from suite.runs import RunInfo


@dataclass(frozen=True)
class Panel:
    """One horizontal axis: ``title`` as plain text, ``tick`` as the markup that plotly reads."""

    key: str
    title: str
    cost: Callable[[Trial], float]
    tick: Callable[[float], str]
    larger_is_better: bool = False
    references: bool = True  # whether the references were counted under the trials' conditions


def panels(info: RunInfo, standing: Standing) -> tuple[Panel, ...]:
    """The four costs: parameters, multiply-adds, bytes, measured speed."""
    sides = standing.resolutions
    each = f"{span(sides)} px" if len(sides) == 1 else f"each trial's resolution, {span(sides)} px"
    macs = Panel(
        "macs", f"multiply-adds at {each}", lambda t: t.macs, tick, references=sides == (info.resolution,)
    )
    return (
        Panel("params", "parameters", lambda t: t.params, tick),
        macs,
        Panel("bytes", "size on disk", lambda t: t.bytes, lambda v: tick(v, "B")),
        _speed_panel(info, standing),
    )


def _speed_panel(info: RunInfo, standing: Standing) -> Panel:
    """Speed-up, and below it the latency that it comes to: VGG-16's own over the speed-up."""
    if not standing.timed_at:
        speed = "measured speed-up over VGG-16"
        return Panel("speedup", speed, _speedup, lambda v: tick(v, TIMES), larger_is_better=True)
    timed = [trial.timing for trial in standing.trials if trial.timing.known]
    vgg16 = median(timing.ms * timing.speedup.value for timing in timed)
    one_side = len(standing.timed_at) == 1
    under = conditions(info, standing.timed_at)
    return Panel(
        key="speedup",
        title=f"measured speed-up over VGG-16{', latency' * one_side}\nat {under}",
        cost=_speedup,
        tick=lambda v: tick(v, TIMES) + f"<br>\u2248 {digits(vgg16 / v, 2)} ms" * one_side,
        larger_is_better=True,
    )


def _speedup(trial: Trial) -> float:
    return trial.timing.speedup.value
