"""Numbers as a reader wants them: sensible digits, the unit beside them, a dash where there is none."""

import math
import re
from collections.abc import Iterable, Sequence

from suite import durations

MISSING = "\u2013"
TIMES = "\u00d7"

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def digits(value: float, significant: int = 3) -> str:
    """``significant`` digits without an exponent: 0.00312, 5.13, 144, 15,470."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    places = significant - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(places, 0)}f}"


def significant(printed: float) -> int:
    """How many digits a number was printed with, trailing zeros apart: 2.6 and 0.026 with two."""
    return len(f"{printed:.12e}".split("e")[0].replace(".", "").rstrip("0")) or 1


def quantity(value: float, unit: str = "", significant: int = 3) -> str:
    """Three digits with a decimal prefix: 934,869 is "935 k", 3,739,476 bytes "3.74 MB"."""
    if not math.isfinite(value):
        return MISSING
    rounded = float(f"{value:.{significant}g}")
    size, prefix = next(((s, p) for s, p in _PREFIXES if abs(rounded) >= s), (1.0, ""))
    number = digits(rounded / size, significant) if size > 1 else f"{rounded:g}"
    return f"{number}\u00a0{prefix}{unit}" if prefix or unit else number


def tick(value: float, unit: str = "") -> str:
    """A round number beside an axis: 300 k, 1 MB, 1.5x."""
    size, prefix = next(((s, p) for s, p in _PREFIXES if value >= s * 0.999), (1.0, ""))
    joined = unit if unit == TIMES else f"\u00a0{prefix}{unit}"
    return f"{value / size:g}{joined}".rstrip()


def percentage(share: float) -> str:
    """A relative difference with its sign, one decimal, and no "-0.0"."""
    return f"{round(100 * share, 1) + 0.0:+.1f}\u00a0%" if abs(share) >= 0.0005 else "0.0\u00a0%"


def exactly(value: float) -> str:
    """A count in full: 934,869."""
    return f"{value:,.0f}" if math.isfinite(value) else MISSING


def error(value: float, unit: str) -> str:
    """A mean absolute error: two decimals of a year, three of a point of the 1 to 5 scale; no "-0.00"."""
    places = error_places(unit)
    return f"{round(value, places) + 0.0:.{places}f}" if math.isfinite(value) else MISSING


def error_places(unit: str) -> int:
    """Decimals of an error in years or points."""
    return 2 if unit == "years" else 3


def signed(value: float, unit: str) -> str:
    """A difference of errors with its sign; what rounds to zero has none."""
    return ("+" if round(value, error_places(unit)) > 0 else "") + error(value, unit)


def ratio(value: float) -> str:
    """36.3 times is "36.3x", with the sign for times."""
    return f"{digits(value)}{TIMES}" if math.isfinite(value) else MISSING


def duration(seconds: float) -> str:
    """41 s, 7 min 05 s, 2 h 10 min."""
    if not math.isfinite(seconds):
        return MISSING
    text = f"{digits(seconds, 2)} s" if seconds < 9.95 else durations.duration(seconds)
    return re.sub(r"(?<=\d) (?=[a-z])", "\u00a0", text)


def sizes(numbers: Iterable[int]) -> str:
    """Widths or depths on one line."""
    return "\u00a0".join(map(str, numbers))


def span(ascending: Sequence[int]) -> str:
    """One number, or the first to the last of several: 48, 32 to 96."""
    ends = dict.fromkeys((ascending[0], ascending[-1]))
    return " to ".join(f"{end:,}" for end in ends)
