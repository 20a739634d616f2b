"""What ``suite paper --json`` prints: published beside counted and timed, as JSON types."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from reports.model.claims import Finding
from reports.model.paper import Counted, Measured, Timed, paper_findings, remarks
from reports.published.numbers import SOURCES, published


def paper_json(measured: Measured) -> dict[str, Any]:
    """Numbers in full, null where there is none; columns are named as in a run folder."""
    return {
        "machine": dataclasses.asdict(measured.machine),
        "networks": [_network_json(counted) for counted in measured.counted],
        "claims": [_claim_json(finding) for finding in paper_findings(measured)],
        "latency": [row for timed in measured.timed for row in _timed_json(timed)],
        "remarks": list(remarks(measured)),
        "sources": dict(SOURCES),
        "papers": list(published().papers),
    }


def _network_json(counted: Counted) -> dict[str, Any]:
    network = published().networks[counted.network]
    numbers = {name: getattr(network, name) for name in ("params", "macs_at_224", "bytes")}
    quoted = {name: dataclasses.asdict(number) for name, number in numbers.items()}
    return {
        "name": network.name,
        **dataclasses.asdict(counted),
        "published": quoted if counted.attribute == "age" else None,
    }


def _claim_json(finding: Finding) -> dict[str, Any]:
    claim = dataclasses.asdict(finding.claim)
    return {
        "published": claim.pop("value"),
        **claim,
        "here": _or_null(finding.here.value),
        "here_low": _or_null(finding.here.low),
        "here_high": _or_null(finding.here.high),
        "verdict": finding.verdict,
        "how": finding.how,
    }


def _timed_json(timed: Timed) -> list[Mapping[str, Any]]:
    names = ("batch_size", "resolution", "rounds", "others", "disturbed")
    conditions = {name: getattr(timed, name) for name in names}
    return [
        {"network": network, **conditions, "latency_ms_per_image": milliseconds}
        | {
            f"speedup_vs_{over}{suffix}": value
            for over, spread in timed.speedups[network].items()
            for suffix, value in (("", spread.value), ("_low", spread.low), ("_high", spread.high))
        }
        for network, milliseconds in timed.ms_per_image.items()
    ]


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None
