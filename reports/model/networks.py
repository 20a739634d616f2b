"""The paper's networks as a run compares with them: exact sizes, errors in this run, published errors."""

import math
from collections.abc import Callable
from statistics import median
from typing import Any

from reports.formatting import digits
from reports.model.trials import FrontSummary, Trial, reference
from reports.published.numbers import SOURCES, PublishedNetwork, published
from suite.runs.info import RunInfo

#: The published data set to quote, by attribute.
QUOTED = {"age": "ChaLearn15", "attractiveness": "SCUT-FBP5500"}

_IS: dict[str, Callable[[Trial], bool]] = {
    "vgg16": lambda trial: trial.network.startswith("vgg16"),
    "thin": lambda trial: trial.is_thin,
    "tiny": lambda trial: trial.is_tiny,
}


def vgg16_ms(summary: FrontSummary) -> float:
    """Return VGG-16's latency of one image in ms; NaN if nothing was timed.

    It is the median, over the trials, of latency times speed-up.
    """
    timed = [trial.timing for trial in summary.trials if trial.timing.known]
    return median(timing.ms * timing.speedup.value for timing in timed) if timed else math.nan


def compared_networks(info: RunInfo, summary: FrontSummary) -> list[dict[str, Any]]:
    """Return VGG-16, ThinAgeNet and TinyAgeNet: exact sizes, and the best training of each in this run.

    ``macs`` is None where the trials' resolution is not the run's; ``error``, ``trial`` and ``ms`` are
    None where this run trained, or timed, no such network. Where the front was confirmed, only confirmed trainings
    count: others may have been shorter, and are of one seed. ``missing`` says why there is no error.
    """
    found = []
    for key, belongs in _IS.items():
        if (counted := reference(info, key)) is None:
            continue
        trained = [trial for trial in summary.trials if trial.finished and belongs(trial)]
        counting = [t for t in trained if (t.confirmed and t.confirmed.errors) or not summary.is_confirmed]
        best = min(counting, key=lambda trial: trial.error, default=None)
        timed = [trial.timing.ms for trial in trained if trial.timing.known]
        ms = vgg16_ms(summary) if key == "vgg16" else min(timed, default=math.nan)
        found.append(
            {
                "key": key,
                "name": published().networks[key].name,
                "params": counted.params,
                "macs": counted.macs if summary.resolutions == (info.resolution,) else None,
                "bytes": counted.bytes,
                "ms": _known(ms),
                "trial": best.id if best else None,
                "error": _known(best.error) if best else None,
                "missing": "" if best else "not confirmed" if trained else "not trained",
            }
        )
    return found


def published_marks(info: RunInfo, summary: FrontSummary) -> dict[str, Any]:
    """Return the paper's errors at exact sizes, and at VGG-16's ms divided by the published speed-up."""
    marks = []
    for network in published().networks.values():
        for quoted in network.errors_on(QUOTED[info.attribute]):
            external = ", ext." if "with external" in quoted.note else ""
            marks.append(
                {
                    "label": network.name + external,
                    "mae": quoted.value,
                    "note": f"MAE {quoted.value} {quoted.unit} on {quoted.data} ({quoted.note}; "
                    f"{SOURCES[quoted.source]}){_speed_note(network)}",
                    **_places(info, summary, network),
                }
            )
    return {"data": QUOTED[info.attribute], "marks": marks}


def _places(info: RunInfo, summary: FrontSummary, network: PublishedNetwork) -> dict[str, float | None]:
    counted, vgg16 = reference(info, network.key), vgg16_ms(summary)
    speedup = network.speedup_vs_vgg16.value if network.speedup_vs_vgg16 else math.nan
    same_side = summary.resolutions == (info.resolution,)
    return {
        "params": counted.params if counted else None,
        "macs": counted.macs if counted and same_side else None,
        "bytes": counted.bytes if counted else None,
        "ms": _known(vgg16 / speedup),
    }


def _speed_note(network: PublishedNetwork) -> str:
    """Say where the speed-up comes from that places a mark on the axis of latency; empty without a claimed one."""
    speedup = network.speedup_vs_vgg16
    if speedup is None or speedup.source == "calc":
        return ""
    return f"; as latency, VGG-16's here / {speedup.value:g} ({SOURCES[speedup.source]})"


def _known(value: float) -> float | None:
    return float(digits(value, 5).replace(",", "")) if math.isfinite(value) else None
