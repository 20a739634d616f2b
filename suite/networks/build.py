"""Building the network that a ``TrialConfig`` describes."""

from typing import get_args

import torch
from torch import nn

from suite.errors import RequestError
from suite.methods import METHODS, Head
from suite.networks.compact import CompactNet
from suite.networks.resnet50 import ResNet50
from suite.networks.validation import STAGES, check_bins
from suite.networks.vgg16 import VGG16
from suite.networks.widths import widths_of
from suite.trial import Network, TrialConfig
from suite.trial_reading import check_requested

#: Pixels a side. Every network halves the side five times, by pooling or by stride.
SMALLEST_RESOLUTION = 2**STAGES


def build_network(config: TrialConfig, bins: int) -> nn.Module:
    """Build a trial's network with fresh weights, drawn from torch's current random state.

    Args:
        config: The trial; its method decides the output layer.
        bins: The number of label bins.

    Raises:
        RequestError: The configuration describes no valid network.
    """
    if config.method not in METHODS:
        raise RequestError(f"method is {config.method!r}; choose one of {', '.join(METHODS)}")
    return assemble_network(config, METHODS[config.method].head, bins)


def assemble_network(config: TrialConfig, head: Head, bins: int) -> nn.Module:
    """Build a trial's network with fresh weights and any output layer.

    Args:
        config: The trial.
        head: Makes the output layer.
        bins: The number of label bins.

    Raises:
        RequestError: The configuration describes no valid network.
    """
    if config.resolution < SMALLEST_RESOLUTION:
        raise RequestError(
            f"a resolution of {config.resolution} pixels is below {SMALLEST_RESOLUTION}, which five "
            f"stages of 2x2 pooling need; set resolution to {SMALLEST_RESOLUTION} or more"
        )
    check_requested(config)
    check_bins(bins)
    match config.network:
        case "compact":
            return CompactNet(config.widths, config.depths, config.pooling, bins, head)
        case "vgg16":
            return VGG16(bins, head, widths=widths_of(config))
        case "vgg16-bn":
            return VGG16(bins, head, batch_norm=True, widths=widths_of(config))
        case "resnet50":
            return ResNet50(bins, head, widths=widths_of(config))
    raise RequestError(f"network is {config.network!r}; choose one of {', '.join(get_args(Network))}")


def to_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, with channels-last weights, which make convolutions faster."""
    moved: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved
