"""Initial weights, as in the paper's released code."""

import math

from torch import nn


def init_weights(module: nn.Module) -> None:
    """Initialise one layer in place.

    Convolutions are normal with variance 2 / (k * k * out), batch norm scales are 1, and all biases are 0. The
    weights of linear layers keep torch's default.
    """
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
