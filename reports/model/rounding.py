"""Numbers as JSON has them: with the digits that a chart can show, and none for what is not known."""

import math


def rounded(value: float) -> float | None:
    """Round a number to six significant digits; None for NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
