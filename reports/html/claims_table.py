"""The paper's claims and our arithmetic on it as tables, beside what is counted exactly and measured here."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from reports import formatting
from reports.html.templating import render
from reports.model.claims import Finding, Verdict, findings
from reports.model.trials import FrontSummary
from reports.published.numbers import SOURCES, published
from suite.runs.info import RunInfo

#: A verdict as a reader sees it beside a difference.
WORDS: dict[Verdict, str] = {
    "yes": "agrees",
    "within spread": "undecided: within the spread",
    "no": "differs",
    "open": "open",
}


@dataclass(frozen=True)
class Row:
    """A claim in the table; texts are empty where there is nothing to show."""

    claim: str
    given: str  # the number that was published or worked out
    source: str
    measured: bool  # else counted exactly
    here: str
    in_full: str  # the same with all its digits
    ends: str  # of its spread
    how: str  # it was measured, or why it was not
    difference: str
    verdict: str


def main_claims(info: RunInfo, summary: FrontSummary) -> Markup:
    """Render the claims of the paper's abstract and the speed-ups, for the section of the answer."""
    found = [f for f in findings(summary, info) if f.claim.source == "abs" or f.claim.quantity == "speedup"]
    return _table("The paper's main claims", (f for f in found if f.claim.over != "resnet50"))


def all_claims(info: RunInfo, summary: FrontSummary) -> Markup:
    """Render every claim with the papers that make them, then our arithmetic on the paper's architecture."""
    found = findings(summary, info)
    return render(
        "all_claims",
        claimed=_table("Claims of the paper", (f for f in found if f.claim.is_published)),
        ours=_table(
            "Our arithmetic on the paper", (f for f in found if not f.claim.is_published), "Worked out"
        ),
        papers=published().papers,
    )


def _table(label: str, shown: Iterable[Finding], given: str = "Published") -> Markup:
    return render("claims", label=label, given=given, rows=[_row(finding) for finding in shown])


def _row(finding: Finding) -> Row:
    claim, here = finding.claim, finding.here
    known = math.isfinite(here.value)
    measured = claim.quantity == "speedup"
    note = f"; {claim.note}" if claim.note else ""
    ends = f"{formatting.digits(here.low)} to {formatting.digits(here.high)}"
    return Row(
        claim=f"{finding.network.name}: {claim.claim}",
        given=claim.printed or _as_printed(claim.value, claim.unit),
        source=f"{SOURCES[claim.source]}{note}" if claim.is_published else "",
        measured=measured,
        here=_in_unit(here.value, claim.unit) if known else formatting.MISSING,
        in_full=formatting.exactly(here.value) if known and claim.unit != "x" else "",
        ends=ends if known and math.isfinite(here.low) else "",
        how=finding.how.removeprefix("measured here ") if measured or not known else "",
        difference=formatting.percentage(finding.difference) if known else "",
        verdict=WORDS[finding.verdict],
    )


def _as_printed(value: float, unit: str) -> str:
    """Format a claimed number with its own digits: 36 times, 2.6 times, 3.8 MB."""
    digits = formatting.significant(value)
    if unit == "x":
        return f"{formatting.digits(value, digits)}{formatting.TIMES}"
    return formatting.quantity(value, "B" if unit == "bytes" else "", digits)


def _in_unit(value: float, unit: str) -> str:
    if unit == "x":
        return f"{formatting.digits(value, 4 if value > 10 else 3)}{formatting.TIMES}"
    return formatting.quantity(value, "B" if unit == "bytes" else "")
