"""The output of ``suite paper``: published and worked out numbers beside counted and timed ones, as plain text."""

import math
import textwrap
from collections.abc import Sequence

from reports import formatting as numerals
from reports.model.claims import Finding
from reports.model.paper import paper_findings, remarks
from reports.model.timing import PAPER_RESOLUTION
from reports.published.numbers import SOURCES, PublishedNumber, published
from suite.runs.paper_measurement import NetworkSize, NetworkTimes, PaperMeasurement
from suite.statistics.spread import Spread

WIDTH = 110


def paper_text(measured: PaperMeasurement) -> str:
    """Return published numbers beside counted and timed ones, as tables of plain text."""
    blocks = [
        f"Counted exactly: macs are multiply-adds of one image of {PAPER_RESOLUTION} px; bytes are those of a "
        "safetensors\nfile in float32. Worked out: our arithmetic on the published architecture, 4 bytes a parameter",
        _aligned([_SIZE_TITLES, *(_size_row(size) for size in measured.sizes)]),
        "Claims of the paper",
        _aligned([_claim_titles("published"), *_claim_rows(measured, published=True)]),
        "Our arithmetic on the published architecture, not taken from the paper",
        _aligned([_claim_titles("worked out"), *_claim_rows(measured, published=False)]),
    ]
    if measured.times:
        blocks.append(_how_timed(measured))
    for times in measured.times:
        blocks += [_times_title(times), _aligned(_times_rows(times))]
    if sentences := remarks(measured):
        blocks += ["Remarks", *(textwrap.fill(sentence, WIDTH) for sentence in sentences)]
    blocks.append(_sources())
    return "\n\n".join(blocks)


MISSING = "-"
_VERDICTS = {"yes": "yes", "within spread": "undecided"}
_SIZE_TITLES = ("network", "bins", "parameters", "worked out", "bytes", "worked out", "macs", "worked out")


def _size_row(size: NetworkSize) -> tuple[str, ...]:
    network = published().networks[size.network]
    cells: list[str] = []
    for quantity in ("params", "bytes", "macs_at_224"):
        value: int = getattr(size, quantity)
        number: PublishedNumber = getattr(network, quantity)
        cells.append(_giga(value) if quantity == "macs_at_224" else f"{value:,}")
        if size.attribute != "age":  # those worked out are for age
            cells.append(MISSING)
        else:
            cells.append(_printed(number.value, "") if quantity == "macs_at_224" else f"{number.value:,.0f}")
    return (network.name, str(size.bins), *cells)


def _claim_titles(given: str) -> tuple[str, ...]:
    return ("claim" if given == "published" else "number", given, "here", "holds", "how")


def _claim_rows(measured: PaperMeasurement, *, published: bool) -> list[tuple[str, ...]]:
    return [_claim_row(f) for f in paper_findings(measured) if f.claim.is_published is published]


def _claim_row(finding: Finding) -> tuple[str, ...]:
    claim = finding.claim
    here, verdict = MISSING, MISSING
    if finding.verdict != "open":
        here = _in_unit(finding.here.value, claim.unit, 4 if finding.here.value > 10 else 3)
        here += _ends(finding.here)
        verdict = _VERDICTS.get(finding.verdict, f"no, {finding.difference:+.0%}")
    quoted = (claim.printed or _printed(claim.value, claim.unit)) + f" {claim.source}" * claim.is_published
    return (f"{finding.network.name}: {claim.claim}", quoted, here, verdict, finding.how)


def _printed(value: float, unit: str) -> str:
    """Return a claimed number in its own digits."""
    return _in_unit(value, unit, numerals.significant(value))


def _in_unit(value: float, unit: str, significant: int) -> str:
    if unit == "x":
        return f"{numerals.digits(value, significant)}x"
    text = numerals.quantity(value, "B" if unit == "bytes" else "", significant)
    return text.replace("\u00a0", " ")


def _giga(value: float) -> str:
    return f"{value / 1e9:.4g} G"


def _ends(spread: Spread) -> str:
    if not math.isfinite(spread.low):
        return ""
    return f" ({numerals.digits(spread.low)} to {numerals.digits(spread.high)})"


def _how_timed(measured: PaperMeasurement) -> str:
    machine = measured.machine
    text = (
        f"Timed on {machine.device} ({machine.processor}), {machine.threads} threads, PyTorch "
        f"{machine.torch}, eager, float32, channels-last, {measured.size_of('tiny').bins} bins. A round times "
        "every network once, in turn; figures are medians over rounds, in brackets the 10th to 90th "
        "percentile of the rounds' ratios. A claim is undecided where only a part of that range rounds to it."
    )
    return textwrap.fill(text, WIDTH)


def _times_title(times: NetworkTimes) -> str:
    title = (
        f"Batch {times.batch_size}, {times.resolution} px, {times.rounds} rounds, "
        f"{times.others:.0%} of the processor taken by other programs"
    )
    if times.resolution < PAPER_RESOLUTION:
        title += f"\n(below {PAPER_RESOLUTION} px to keep within the time; --seconds gives it more)"
    return title


def _times_rows(times: NetworkTimes) -> list[tuple[str, ...]]:
    networks = published().networks
    over = list(next(iter(times.speedups.values())))
    rows = [("network", "ms per image", *(f"times as fast as {networks[key].name}" for key in over))]
    for key, milliseconds in times.ms_per_image.items():
        spreads = [times.speedups[key][other] for other in over]
        ratios = (f"{numerals.digits(spread.value)}x{_ends(spread)}" for spread in spreads)
        rows.append((networks[key].name, numerals.digits(milliseconds), *ratios))
    return rows


def _sources() -> str:
    used = {claim.source for claim in published().claims if claim.is_published}
    words = "; ".join(f"{word}: {meaning}" for word, meaning in SOURCES.items() if word in used)
    notes = dict.fromkeys(f"{claim.claim}: {claim.note}." for claim in published().claims if claim.note)
    lines = [f"Published numbers, by source: {words}.", *notes, *published().papers]
    return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in lines)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
