"""How large a network may be: so many parameters, multiply-adds or bytes."""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import TypeAdapter, ValidationError

from search_spaces.quantities import Count
from suite.errors import RequestError
from suite.networks import build_network
from suite.profiling import count_macs, count_parameters, safetensors_bytes
from suite.trial import TrialConfig

Quantity = Literal["params", "macs", "bytes"]


@dataclass(frozen=True)
class Budget:
    """At most so much of one quantity; bytes are those of the safetensors file, float32."""

    quantity: Quantity
    most: int


def parse_budget(text: str, quantity: Quantity) -> Budget:
    """Read 934869, 900k, 0.9M or 4MB.

    Raises:
        RequestError: it is no such count.
    """
    try:
        return Budget(quantity, TypeAdapter(Count).validate_python(text))
    except ValidationError:
        raise RequestError(f"{text!r} is no count of {quantity}; write it as 934869, 900k or 0.9M") from None


def cost(config: TrialConfig, bins: int, quantity: Quantity) -> int:
    """What a configuration's network costs, untrained."""
    if quantity == "macs":  # fvcore runs it
        return count_macs(build_network(config, bins), config.resolution)
    with torch.device("meta"):
        network = build_network(config, bins)
    return count_parameters(network) if quantity == "params" else safetensors_bytes(network)
