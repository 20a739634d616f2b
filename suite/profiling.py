"""What a network costs: parameters, multiply-adds, bytes as saved, and latency beside VGG-16.

Multiply-adds follow fvcore's conventions: a fused multiply-add counts as one; convolutions and linear
layers by their definition, a batch normalisation two an element, an average pooling one an element
that it reads. Max pooling, softmax and the addition of a shortcut or of CORAL's biases multiply nothing and
count as zero by ``FREE_OPERATORS``; ReLU, and whatever only moves, shapes or compares numbers (view, index,
cat, clamp, dropout, ...), counts as zero by a list of fvcore's own (``_IGNORED_OPS`` of its
``nn/jit_analysis.py``). Any other operator without a counting function is an error, never a silent zero.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn

from suite.networks import build_network, place
from suite.recipe import arithmetic
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
            "a counting function in suite/profiling.py, or name it in FREE_OPERATORS if it has none"
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


@dataclass(frozen=True)
class Latency:
    """Time of a network beside the reference's, over paired rounds."""

    ms_per_image: float  # median
    speedup: float  # median over rounds of reference time / this network's time
    speedup_low: float  # 10th percentile over rounds
    speedup_high: float  # 90th percentile
    rounds: int
    batch_size: int
    resolution: int


def measure_latency(
    networks: Mapping[str, nn.Module],
    reference: nn.Module,
    *,
    resolution: int,
    batch_size: int,
    rounds: int,
    device: torch.device | None = None,
    on_round: Callable[[int, int], None] | None = None,
) -> dict[str, Latency]:
    """Latency of networks as a ratio to a reference, float32, eager, channels-last.

    Every round times the reference and then each network, in an order that alternates, so that a
    slow moment of the machine falls on both sides of a ratio. The caller sees to it that nothing
    else runs.

    Args:
        networks: by name; evaluated as they are.
        reference: the network in the numerator of the speed-up.
        resolution: pixels a side of the random images.
        batch_size: images a call.
        rounds: paired measurements.
        device: None takes CUDA where there is one.
        on_round: told (rounds done, rounds) after each.
    """
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images = torch.rand(batch_size, 3, resolution, resolution).to(device, memory_format=torch.channels_last)
    all_networks = {
        name: place(network, device).eval() for name, network in {"": reference, **networks}.items()
    }
    calls = {name: _calls_for(network, images) for name, network in all_networks.items()}
    names = list(all_networks)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for done in range(rounds):
        for name in names if done % 2 == 0 else names[::-1]:
            seconds[name].append(_seconds_a_call(all_networks[name], images, calls[name]))
        if on_round:
            on_round(done + 1, rounds)
    return {name: _latency(seconds[name], seconds[""], batch_size, resolution) for name in networks}


def _latency(own: Sequence[float], reference: Sequence[float], batch_size: int, resolution: int) -> Latency:
    ratios = np.asarray(reference) / np.asarray(own)
    low, middle, high = np.quantile(ratios, (0.1, 0.5, 0.9))
    return Latency(
        ms_per_image=float(np.median(own)) * 1000 / batch_size,
        speedup=float(middle),
        speedup_low=float(low),
        speedup_high=float(high),
        rounds=len(own),
        batch_size=batch_size,
        resolution=resolution,
    )


def _calls_for(network: nn.Module, images: torch.Tensor) -> int:
    """How many calls make a measurement of about 30 ms, after a warm-up."""
    _seconds_a_call(network, images, 2)
    return max(1, min(200, round(0.03 / _seconds_a_call(network, images, 1))))


@torch.inference_mode()
def _seconds_a_call(network: nn.Module, images: torch.Tensor, calls: int) -> float:
    with arithmetic("float32"):
        _settle(images.device)
        started = time.perf_counter()
        for _ in range(calls):
            network(images)
        _settle(images.device)
        return (time.perf_counter() - started) / calls


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
