"""The output of ``suite paper --json``: published and worked out numbers beside counted and timed ones."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from reports.model.claims import Finding
from reports.model.paper import paper_findings, remarks
from reports.published.numbers import SOURCES, published
from suite.runs.paper_measurement import NetworkSize, NetworkTimes, PaperMeasurement


def paper_json(measured: PaperMeasurement) -> dict[str, Any]:
    """Return every number in full, null where there is none. Keys are named as the columns of a run folder."""
    return {
        "machine": dataclasses.asdict(measured.machine),
        "networks": [_network_json(size) for size in measured.sizes],
        "claims": [_claim_json(finding) for finding in paper_findings(measured)],
        "latency": [row for times in measured.times for row in _times_json(times)],
        "remarks": list(remarks(measured)),
        "sources": dict(SOURCES),
        "papers": list(published().papers),
    }


def _network_json(size: NetworkSize) -> dict[str, Any]:
    network = published().networks[size.network]
    numbers = {name: getattr(network, name) for name in ("params", "macs_at_224", "bytes")}
    quoted = {name: number.value for name, number in numbers.items()}
    return {
        "name": network.name,
        **dataclasses.asdict(size),
        "worked_out": quoted if size.attribute == "age" else None,
    }


def _claim_json(finding: Finding) -> dict[str, Any]:
    claim = dataclasses.asdict(finding.claim)
    value = claim.pop("value")
    return {
        "published": value if finding.claim.is_published else None,
        "worked_out": None if finding.claim.is_published else value,
        **claim,
        "here": _or_null(finding.here.value),
        "here_low": _or_null(finding.here.low),
        "here_high": _or_null(finding.here.high),
        "verdict": finding.verdict,
        "how": finding.how,
    }


def _times_json(times: NetworkTimes) -> list[Mapping[str, Any]]:
    names = ("batch_size", "resolution", "rounds", "others", "disturbed")
    conditions = {name: getattr(times, name) for name in names}
    return [
        {"network": network, **conditions, "latency_ms_per_image": milliseconds}
        | {
            f"speedup_vs_{over}{suffix}": value
            for over, spread in times.speedups[network].items()
            for suffix, value in (("", spread.value), ("_low", spread.low), ("_high", spread.high))
        }
        for network, milliseconds in times.ms_per_image.items()
    ]


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None
