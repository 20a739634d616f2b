"""What a network costs before it runs: parameters, multiply-adds, bytes as saved.

Multiply-adds follow fvcore's conventions: a fused multiply-add counts as one; convolutions and linear
layers by their definition, a batch normalisation two an element, an average pooling one an element
that it reads. Max pooling, softmax and the addition of a shortcut or of CORAL's biases multiply nothing and
count as zero by ``FREE_OPERATORS``; ReLU, and whatever only moves, shapes or compares numbers (view, index,
cat, clamp, dropout, ...), counts as zero by a list of fvcore's own (``_IGNORED_OPS`` of its
``nn/jit_analysis.py``). Any other operator without a counting function is an error, never a silent zero.
"""

import json

import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn

from suite.networks import build_network
from suite.trial import Profile, TrialConfig

#: Operators without a multiply-add: comparisons, additions and a normalisation over the bins.
FREE_OPERATORS = ("aten::max_pool2d", "aten::softmax", "aten::log_softmax", "aten::add", "aten::add_")
PAPER_RESOLUTION = 224


class UncountedOperatorError(ValueError):
    """The network has operators that the multiply-add table does not know."""


def profile_trial(config: TrialConfig, bins: int) -> Profile:
    """The cost of a trial's network, before it trains."""
    network = build_network(config, bins)
    return Profile(
        params=count_parameters(network),
        macs=count_macs(network, config.resolution),
        macs_at_224=count_macs(network, PAPER_RESOLUTION),
        bytes=safetensors_bytes(network),
    )


def count_parameters(network: nn.Module) -> int:
    """Trainable numbers of a network; batch-norm statistics are not parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, resolution: int) -> int:
    """Multiply-adds of one image of ``resolution`` pixels a side, by fvcore.

    Raises:
        UncountedOperatorError: the network has an operator that the conventions above do not name.
    """
    images = torch.zeros(1, 3, resolution, resolution, device=next(network.parameters()).device)
    analysis = FlopCountAnalysis(network.eval(), images)
    analysis.set_op_handle(**{operator: None for operator in FREE_OPERATORS})
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    total = int(analysis.total())
    if unknown := analysis.unsupported_ops():
        raise UncountedOperatorError(
            f"no multiply-add count for {', '.join(sorted(unknown))} in {type(network).__name__}; give it "
            "a counting function in suite/measure/profiling.py, or name it in FREE_OPERATORS if it has none"
        )
    return total


def safetensors_bytes(network: nn.Module) -> int:
    """Size of the safetensors file of the network's state, without writing or reading its values.

    The format: 8 bytes of length, a JSON header padded with spaces to 8 bytes, the tensors.
    """
    state = network.state_dict()
    # Wider types come first, then names in order: the layout that the library writes.
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
