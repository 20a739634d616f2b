"""The paper's claims, each beside what this run counted exactly or measured."""

import math
from dataclasses import dataclass

from reports.published import PublishedClaim, PublishedNetwork, published
from reports.timing import Spread, conditions
from reports.trials import Standing, Trial, reference
from suite.runs import RunInfo


@dataclass(frozen=True)
class Finding:
    """A published number and its counterpart here; ``here`` is NaN where there is none.

    ``how`` says where ``here`` comes from: counted, or measured, at which resolution and how.
    """

    claim: PublishedClaim
    network: PublishedNetwork
    here: Spread
    how: str

    @property
    def difference(self) -> float:
        """Relative to the published number: 0.04 is 4 % more here."""
        return self.here.value / self.claim.value - 1


def findings(standing: Standing, info: RunInfo) -> tuple[Finding, ...]:
    """Every claim of ``published.yaml``, in its order; a speed-up once for each resolution measured."""
    found: list[Finding] = []
    for claim in published().claims:
        network = published().networks[claim.of]
        if claim.quantity == "speedup_vs_vgg16":
            found += _measured(claim, network, standing, info)
        else:
            found.append(_counted(claim, network, info))
    return tuple(found)


def _counted(claim: PublishedClaim, network: PublishedNetwork, info: RunInfo) -> Finding:
    of, over = reference(info, claim.of), reference(info, claim.over) if claim.over else None
    if of is None or (claim.over and over is None):
        return Finding(claim, network, _exact(math.nan), "not counted in this run")
    value = float(getattr(of, claim.quantity))
    if over is not None:
        value = float(getattr(over, claim.quantity)) / value
    return Finding(claim, network, _exact(value), "counted exactly")


def _measured(
    claim: PublishedClaim, network: PublishedNetwork, standing: Standing, info: RunInfo
) -> list[Finding]:
    trial = _timed_trial(claim.of, standing)
    if trial is None:
        return [Finding(claim, network, _exact(math.nan), "no trial with this architecture was timed")]
    timings = {timing.side: timing for timing in (trial.common_timing, trial.own_timing) if timing.known}
    how = {side: f"measured here at {conditions(info, (side,))}, trial {trial.id}" for side in timings}
    return [Finding(claim, network, timing.speedup, how[side]) for side, timing in timings.items()]


def _timed_trial(key: str, standing: Standing) -> Trial | None:
    for trial in standing.trials:
        if trial.timing.known and (trial.is_thin if key == "thin" else trial.is_tiny):
            return trial
    return None


def _exact(value: float) -> Spread:
    return Spread(value, math.nan, math.nan)
