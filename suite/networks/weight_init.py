"""Initial weights, as in the paper's released code."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


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


class WithoutInitialisation(TorchFunctionMode):
    """While active, networks are built without drawing their weights: what changes a tensor in place is skipped.

    Whoever only counts, or loads weights afterwards, need not wait for them: those of VGG-16 take seconds. On the meta
    device such changes have no effect anyway, but PyTorch takes seconds to load what computes them there.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.arange:
            return func(*args, **{**(kwargs or {}), "device": "cpu"})
        name = getattr(func, "__name__", "")
        if name.endswith("_") and not name.startswith("__"):
            return args[0] if args else (kwargs or {}).get("tensor")
        return func(*args, **(kwargs or {}))
