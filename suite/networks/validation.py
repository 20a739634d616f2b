"""Checks of widths, depths and label bins before a network is built."""

from collections.abc import Sequence

from suite.errors import RequestError

STAGES = 5


def check_stages(widths: Sequence[int], depths: Sequence[int]) -> None:
    """Refuse a compact network that does not have five stages of at least one channel and one layer.

    Raises:
        RequestError: The number of stages is not five, or a width or depth is below 1.
    """
    for name, values in (("widths", widths), ("depths", depths)):
        if len(values) != STAGES or min(values) < 1:
            raise RequestError(
                f"{name} are {tuple(values)}; a compact network needs {STAGES} whole numbers, each at least 1"
            )


def check_pruned_widths(widths: Sequence[int], original: Sequence[int]) -> None:
    """Refuse widths that do not match a network's original widths in number.

    Raises:
        RequestError: The number differs, or a width is below 1.
    """
    if len(widths) != len(original) or min(widths) < 1:
        raise RequestError(
            f"pruned_widths are {tuple(widths)}; this network needs {len(original)} whole numbers, each at least 1"
        )


def check_bins(bins: int) -> None:
    """Refuse a label set of fewer than two bins.

    Raises:
        RequestError: There are fewer.
    """
    if bins < 2:
        raise RequestError(f"a label set of {bins} bins has nothing to estimate; it needs at least 2")
