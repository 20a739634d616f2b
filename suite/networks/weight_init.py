"""How many channels there are to be, and how weights begin."""

import math
from collections.abc import Sequence

from torch import nn

from suite.errors import RequestError


def check_widths(widths: Sequence[int], own: Sequence[int]) -> None:
    """Refuse widths of a network whose own are others in number.

    Raises:
        RequestError: so they are, or one is below 1.
    """
    if len(widths) != len(own) or min(widths) < 1:
        raise RequestError(
            f"pruned_widths are {tuple(widths)}; this network needs {len(own)} whole numbers, each at least 1"
        )


def init_weights(module: nn.Module) -> None:
    """Convolutions normal with variance 2 / (k * k * out), batch norm 1 and 0, biases 0 (released code)."""
    if isinstance(module, nn.Conv2d):
        kernel_area = module.kernel_size[0] * module.kernel_size[1]
        nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / (kernel_area * module.out_channels)))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
