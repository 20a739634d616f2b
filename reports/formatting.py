"""Numbers as text for a reader: sensible digits, their unit, a dash for a missing value."""

import math
import re
from collections.abc import Iterable, Sequence

from suite import durations

MISSING = "\u2013"
TIMES = "\u00d7"

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def digits(value: float, significant: int = 3) -> str:
    """Format with ``significant`` digits and no exponent: 0.00312, 5.13, 144, 15,500."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    decimals = significant - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def significant(printed: float) -> int:
    """Count the significant digits of a printed number without trailing zeros: two for 2.6 and 0.026."""
    return len(f"{printed:.12e}".split("e")[0].replace(".", "").rstrip("0")) or 1


def quantity(value: float, unit: str = "", significant: int = 3) -> str:
    """Format with three digits and a decimal prefix: 934,869 as "935 k", 3,739,476 bytes as "3.74 MB"."""
    if not math.isfinite(value):
        return MISSING
    rounded = float(f"{value:.{significant}g}")
    size, prefix = next(((s, p) for s, p in _PREFIXES if abs(rounded) >= s), (1.0, ""))
    number = digits(rounded / size, significant) if size > 1 else f"{rounded:g}"
    return f"{number}\u00a0{prefix}{unit}" if prefix or unit else number


def tick(value: float, unit: str = "") -> str:
    """Format a round number on an axis: 300 k, 1 MB, 1.5x."""
    size, prefix = next(((s, p) for s, p in _PREFIXES if value >= s * 0.999), (1.0, ""))
    joined = unit if unit == TIMES else f"\u00a0{prefix}{unit}"
    return f"{value / size:g}{joined}".rstrip()


def percentage(share: float) -> str:
    """Format a relative difference with sign and one decimal, and no "-0.0"."""
    return f"{round(100 * share, 1) + 0.0:+.1f}\u00a0%" if abs(share) >= 0.0005 else "0.0\u00a0%"


def exactly(value: float) -> str:
    """Format a count in full: 934,869."""
    return f"{value:,.0f}" if math.isfinite(value) else MISSING


def error(value: float, unit: str) -> str:
    """Format an error with two decimals for years, three for points of the 1 to 5 scale, and no "-0.00"."""
    decimals = error_decimals(unit)
    return f"{round(value, decimals) + 0.0:.{decimals}f}" if math.isfinite(value) else MISSING


def error_with_unit(value: float, unit: str) -> str:
    """Format an error with its unit: 5.13 years."""
    return f"{error(value, unit)}\u00a0{unit}"


def objective(name: str, unit: str = "") -> str:
    """Return an objective in words: validation MAE (years), parameters by the name of their column."""
    errors = {"val_mae": "validation MAE", "worst_group_mae": "validation MAE of the worst group"}
    if name not in errors:
        return name
    return f"{errors[name]} ({unit})" if unit else errors[name]


def error_decimals(unit: str) -> int:
    """Return how many decimals an error in years or points has."""
    return 2 if unit == "years" else 3


def signed(value: float, unit: str) -> str:
    """Format a difference of errors with its sign; what rounds to zero has none."""
    return ("+" if round(value, error_decimals(unit)) > 0 else "") + error(value, unit)


def count(number: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun: 1 trial, 2 trials; 2 people, if the plural is given."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def ratio(value: float) -> str:
    """Format a ratio with the multiplication sign: "36.3x"."""
    return f"{digits(value)}{TIMES}" if math.isfinite(value) else MISSING


def duration(seconds: float) -> str:
    """Format seconds: 41 s, 7 min 05 s, 2 h 10 min."""
    if not math.isfinite(seconds):
        return MISSING
    text = f"{digits(seconds, 2)} s" if seconds < 9.95 else durations.duration(seconds)
    return re.sub(r"(?<=\d) (?=[a-z])", "\u00a0", text)


def sizes(numbers: Iterable[int]) -> str:
    """Format widths or depths on one line that does not break."""
    return "\u00a0".join(map(str, numbers))


def span(ascending: Sequence[int]) -> str:
    """Format one number, or the first to the last of several: 48, 32 to 96."""
    ends = dict.fromkeys((ascending[0], ascending[-1]))
    return " to ".join(f"{end:,}" for end in ends)
