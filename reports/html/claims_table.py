"""The paper's claims as tables: published, counted exactly, measured here; the main ones and all of them."""

import math
from collections.abc import Iterable
from html import escape

from reports import formatting
from reports.html.markup import scrolling
from reports.model.claims import Finding, Verdict, findings
from reports.model.trials import FrontSummary
from reports.published.numbers import SOURCES, published
from suite.runs.info import RunInfo

#: What a verdict is called beside a difference.
WORDS: dict[Verdict, str] = {
    "yes": "agrees",
    "within spread": "within the spread",
    "no": "differs",
    "open": "open",
}


def main_claims(info: RunInfo, summary: FrontSummary) -> str:
    """What the paper's abstract promises, and the speed-ups, to stand beside the answer."""
    rows = [f for f in findings(summary, info) if f.claim.source == "abs" or f.claim.quantity == "speedup"]
    return _table("The paper's main claims", (f for f in rows if f.claim.over != "resnet50"))


def all_claims(info: RunInfo, summary: FrontSummary) -> str:
    """Every claim, and the papers that make them."""
    papers = "".join(f"<li>{escape(paper)}</li>" for paper in published().papers)
    return f'{_table("Claims of the paper", findings(summary, info))}<ul class="sources">{papers}</ul>'


def _table(label: str, shown: Iterable[Finding]) -> str:
    titles = ("Claim", "Published", "Exact", "Measured here", "Difference")
    heads = "".join(f'<th scope="col">{title}</th>' for title in titles)
    rows = "".join(map(_row, shown))
    table = f'<table class="claims"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return scrolling(label, table)


def _row(finding: Finding) -> str:
    claim = finding.claim
    note = f"; {escape(claim.note)}" if claim.note else ""
    known = math.isfinite(finding.here.value)
    here = formatting.MISSING
    if known:
        here = _in_unit(finding.here.value, claim.unit) + _ends(finding)
    measured = claim.quantity == "speedup"
    if measured or not known:
        here += f"<small>{escape(finding.how.removeprefix('measured here '))}</small>"
    exact, taken = (formatting.MISSING, here) if measured else (here, formatting.MISSING)
    difference = f"{formatting.percentage(finding.difference)}<br>" if known else ""
    return (
        f'<tr><th scope="row">{escape(finding.network.name)}: {escape(claim.claim)}</th>'
        f"<td>{_as_printed(claim.value, claim.unit)}<small>{SOURCES[claim.source]}{note}</small></td>"
        f"<td>{exact}</td><td>{taken}</td><td>{difference}<small>{WORDS[finding.verdict]}</small></td></tr>"
    )


def _as_printed(value: float, unit: str) -> str:
    """With the digits that it was published with: 36 times, 2.6 times, 3.8 MB."""
    digits = formatting.significant(value)
    if unit == "x":
        return f"{formatting.digits(value, digits)}{formatting.TIMES}"
    return formatting.quantity(value, "B" if unit == "bytes" else "", digits)


def _in_unit(value: float, unit: str) -> str:
    if unit == "x":
        return f"{formatting.digits(value, 4 if value > 10 else 3)}{formatting.TIMES}"
    prefixed = formatting.quantity(value, "B" if unit == "bytes" else "")
    return f"{prefixed}<small>{formatting.exactly(value)}</small>"


def _ends(finding: Finding) -> str:
    low, high = finding.here.low, finding.here.high
    if not math.isfinite(low):
        return ""
    return f' <small class="ends">{formatting.digits(low)} to {formatting.digits(high)}</small>'
