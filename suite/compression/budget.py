"""Budgets for pruning: a limit on parameters, multiply-adds, bytes or relative latency."""

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from search_spaces.quantities import Count
from suite.errors import RequestError

Quantity = Literal["params", "macs", "bytes", "latency"]


@dataclass(frozen=True)
class Budget:
    """An upper limit on one quantity of a network.

    Attributes:
        quantity: "params", "macs" (at the trial's resolution), "bytes" (of the safetensors file, float32), or
            "latency".
        most: The limit. It is a whole number, except for latency: there it is a share of the latency before pruning,
            measured on this machine (``suite.compression.relative_latency``).
    """

    quantity: Quantity
    most: float


def parse_budget(text: str, quantity: Quantity) -> Budget:
    """Read a count such as 934869, 900k, 0.9M or 4MB; for latency, a share such as 0.5.

    Raises:
        RequestError: The text is not a count, or not a share between 0 and 1.
    """
    if quantity == "latency":
        return Budget(quantity, _share(text))
    try:
        return Budget(quantity, TypeAdapter(Count).validate_python(text))
    except ValidationError:
        raise RequestError(
            f"{text!r} is not a count of {quantity}; write it as 934869, 900k or 0.9M"
        ) from None


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise RequestError(
            f"{text!r} is not a share of the trial's time; write a number between 0 and 1, such as 0.5"
        )
    return share
