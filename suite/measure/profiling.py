"""The cost of a network, known before it trains: parameters, multiply-adds, bytes of its file.

Multiply-adds follow the conventions of fvcore. A fused multiply-add counts as one. Convolutions and linear layers
count by their definition, a batch normalisation two an element, an average pooling one for each element that it reads.
Two groups of operators count as zero: those of ``FREE_OPERATORS``, and those that fvcore ignores itself, which are ReLU
and whatever only moves, shapes or compares numbers (``_IGNORED_OPS`` in its ``nn/jit_analysis.py``). Any other operator
without a counting function is an error, never a silent zero.
"""

import json
from functools import lru_cache
from typing import Literal

import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn

from suite.networks import build_network
from suite.networks.weight_init import WithoutInitialisation
from suite.trial import Profile, TrialConfig

#: Operators without a multiply-add: comparisons, additions (of a shortcut, of CORAL's biases) and the softmax.
FREE_OPERATORS = ("aten::max_pool2d", "aten::softmax", "aten::log_softmax", "aten::add", "aten::add_")
PAPER_RESOLUTION = 224
Counted = Literal["params", "macs", "bytes"]


class UncountedOperatorError(ValueError):
    """The network has operators without a counting function."""


@lru_cache(maxsize=1_000)
def profile_trial(config: TrialConfig, bins: int) -> Profile:
    """Return the cost of a configuration's network.

    Args:
        config: The configuration.
        bins: Bins of its label set.
    """
    network = without_weights(config, bins)
    return Profile(
        params=count_parameters(network),
        macs=count_macs(network, config.resolution),
        macs_at_224=count_macs(network, PAPER_RESOLUTION),
        bytes=safetensors_bytes(network),
    )


def without_weights(config: TrialConfig, bins: int) -> nn.Module:
    """Build a network to be counted: its tensors have the right shapes, and any values."""
    with WithoutInitialisation():
        return build_network(config, bins)


def cost(config: TrialConfig, bins: int, quantity: Counted) -> int:
    """Return what the network of a configuration costs in one quantity; multiply-adds are at its own resolution."""
    network = without_weights(config, bins)
    if quantity == "macs":
        return count_macs(network, config.resolution)
    return count_parameters(network) if quantity == "params" else safetensors_bytes(network)


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters; the running statistics of batch normalisation are not parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, resolution: int) -> int:
    """Return the multiply-adds of one image of ``resolution`` pixels a side, counted by fvcore.

    Raises:
        UncountedOperatorError: The network has an operator without a counting function.
    """
    images = torch.zeros(1, 3, resolution, resolution, device=next(network.parameters()).device)
    analysis = FlopCountAnalysis(network.eval(), images)
    analysis.set_op_handle(**{operator: None for operator in FREE_OPERATORS})
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    total = int(analysis.total())
    if unknown := analysis.unsupported_ops():
        raise UncountedOperatorError(
            f"no multiply-add count for {', '.join(sorted(unknown))} in {type(network).__name__}; add "
            "a counting function in suite/measure/profiling.py, or a name in FREE_OPERATORS if it has no multiply-add"
        )
    return total


def safetensors_bytes(network: nn.Module) -> int:
    """Return the size of the safetensors file of a network's state, without writing it.

    The format is 8 bytes of length, a JSON header padded with spaces to a multiple of 8 bytes, and the tensors.
    """
    state = network.state_dict()
    # The library writes wider types first, then sorts by name.
    order = sorted(state, key=lambda name: (-state[name].element_size(), name))
    names = {torch.float32: "F32", torch.int64: "I64", torch.bfloat16: "BF16", torch.float16: "F16"}
    header, offset = {}, 0
    for name in order:
        tensor = state[name]
        end = offset + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    length = len(json.dumps(header, separators=(",", ":")).encode())
    return 8 + -(-length // 8) * 8 + offset
