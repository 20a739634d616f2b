"""A measured ratio with its spread, such as a speed-up over paired rounds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A measured ratio and the ends of its spread.

    Attributes:
        value: The ratio, a median over paired rounds; NaN where nothing was measured.
        low: Lower end of the spread, the 10th percentile over rounds; NaN where the ratio is exact.
        high: Upper end of the spread, the 90th percentile over rounds; NaN where the ratio is exact.
    """

    value: float
    low: float
    high: float
