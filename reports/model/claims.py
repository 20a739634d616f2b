"""The paper's claims and our arithmetic on it, each with its counterpart in this run: counted or measured."""

import math
from dataclasses import dataclass
from typing import Literal

from reports import formatting
from reports.model.timing import conditions
from reports.model.trials import FrontSummary, Trial, reference
from reports.published.numbers import PublishedClaim, PublishedNetwork, published
from suite.runs.info import RunInfo
from suite.statistics.spread import Spread

Verdict = Literal["yes", "within spread", "no", "open"]


@dataclass(frozen=True)
class Finding:
    """A published or worked out number and its counterpart here; ``here`` is NaN where there is none.

    ``how`` says where ``here`` comes from: counted, or measured, at which resolution and how.
    """

    claim: PublishedClaim
    network: PublishedNetwork
    here: Spread
    how: str

    @property
    def difference(self) -> float:
        """Relative to the claimed number: 0.04 is 4 % more here."""
        return self.here.value / self.claim.value - 1

    @property
    def verdict(self) -> Verdict:
        """Whether the claimed number is reproduced.

        "yes" where the number here rounds to the claimed digits, and both ends of its spread do if it has one;
        "within spread" where a part of the spread does, which decides nothing and which a noisy measurement
        makes easy; "open" where there is none.
        """
        if not math.isfinite(self.here.value):
            return "open"
        ends = [end for end in (self.here.low, self.here.high) if math.isfinite(end)]
        rounding = [rounds_to(value, self.claim.value) for value in (self.here.value, *ends)]
        if all(rounding):
            return "yes"
        holds = self.here.low <= self.claim.value <= self.here.high
        return "within spread" if holds or any(rounding) else "no"


def rounds_to(value: float, printed: float) -> bool:
    """Whether ``value`` rounds to ``printed`` in the significant digits of ``printed``: 36.32 does to 36."""
    digits = formatting.significant(printed)
    return math.isfinite(value) and f"{value:.{digits - 1}e}" == f"{printed:.{digits - 1}e}"


def findings(summary: FrontSummary, info: RunInfo) -> tuple[Finding, ...]:
    """The claims of ``published.yaml``, in its order; a speed-up once for each resolution measured.

    Claims on attractiveness apply only to runs on attractiveness.
    """
    found: list[Finding] = []
    for claim in published().claims:
        network = published().networks[claim.of]
        if claim.attribute not in ("age", info.attribute):
            continue
        if claim.over == "resnet50":
            found.append(Finding(claim, network, exact(math.nan), "not in a run; 'suite paper' has it"))
        elif claim.quantity == "speedup":
            found += _measured(claim, network, summary, info)
        else:
            found.append(_counted(claim, network, info))
    return tuple(found)


def _counted(claim: PublishedClaim, network: PublishedNetwork, info: RunInfo) -> Finding:
    of, over = reference(info, claim.of), reference(info, claim.over) if claim.over else None
    if of is None or (claim.over and over is None):
        return Finding(claim, network, exact(math.nan), "not counted in this run")
    value = float(getattr(of, claim.quantity))
    if over is not None:
        value = float(getattr(over, claim.quantity)) / value
    return Finding(claim, network, exact(value), "counted exactly")


def _measured(
    claim: PublishedClaim, network: PublishedNetwork, summary: FrontSummary, info: RunInfo
) -> list[Finding]:
    trial = _timed_trial(claim.of, summary)
    if trial is None:
        return [Finding(claim, network, exact(math.nan), "no trial with this architecture was timed")]
    timings = {timing.side: timing for timing in (trial.common_timing, trial.own_timing) if timing.known}
    how = {side: f"measured here at {conditions(info, (side,))}, trial {trial.id}" for side in timings}
    return [Finding(claim, network, timing.speedup, how[side]) for side, timing in timings.items()]


def _timed_trial(key: str, summary: FrontSummary) -> Trial | None:
    for trial in summary.trials:
        if trial.timing.known and (trial.is_thin if key == "thin" else trial.is_tiny):
            return trial
    return None


def exact(value: float) -> Spread:
    """Return a counted number, which has no spread."""
    return Spread(value, math.nan, math.nan)
