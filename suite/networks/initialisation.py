"""How weights begin."""

import math

from torch import nn


def initialise(module: nn.Module) -> None:
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
