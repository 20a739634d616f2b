"""The widths of a network: the numbers of channels that can be chosen, each shared by a group of layers.

=============== ==========================================================================================
compact         five: the layers of each stage
vgg16, vgg16-bn seven: the convolutions of each stage, then the two hidden linear layers
resnet50        nine: the stem; the inside of the blocks of each of four stages; the output of each stage
=============== ==========================================================================================

The outputs of the blocks in a stage of ResNet-50 are added, so they have one width. The inner convolutions of
its blocks could each have a width of their own; they share one for the stage, so that nine numbers describe the
network.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from suite.errors import RequestError
from suite.networks import resnet50, vgg16
from suite.networks.compact import CompactNet
from suite.networks.resnet50 import ResNet50
from suite.networks.vgg16 import VGG16
from suite.presets import VGG16_DEPTHS
from suite.trial import Network, TrialConfig

Widths = tuple[int, ...]
LayersOfWidths = list[list[nn.Conv2d | nn.Linear]]


def widths_of(config: TrialConfig) -> Widths:
    """Return the widths of a trial's network.

    Raises:
        RequestError: The widths of the network are not described.
    """
    description = _description_of(config)
    return config.widths if description.original is None else config.pruned_widths or description.original


def with_widths(config: TrialConfig, widths: Widths) -> TrialConfig:
    """Return the trial with a network of these widths.

    Raises:
        RequestError: The widths of the network are not described.
    """
    if _description_of(config).original is None:
        return dataclasses.replace(config, widths=widths)
    return dataclasses.replace(config, pruned_widths=widths)


def stages_of_widths(config: TrialConfig) -> tuple[int, ...]:
    """Return the stage of each width, 0 to 4; the stem belongs to the first, hidden layers to the last.

    Raises:
        RequestError: The widths of the network are not described.
    """
    return _description_of(config).stages


def layers_of_widths(network: nn.Module, config: TrialConfig) -> LayersOfWidths:
    """Return, for each width, the layers that have it as their number of outputs.

    Layers whose outputs are added share their channels; only one of them is listed.

    Args:
        network: The trial's network.
        config: The trial.

    Raises:
        RequestError: The widths of the network are not described.
    """
    return _description_of(config).layers(network, config)


def _description_of(config: TrialConfig) -> "_WidthsDescription":
    if config.network not in PRUNABLE_NETWORKS:
        raise RequestError(
            f"network is {config.network!r}, which has no widths to choose and so cannot be pruned; "
            f"choose one of {', '.join(PRUNABLE_NETWORKS)}"
        )
    return PRUNABLE_NETWORKS[config.network]


def _of_compact(network: CompactNet, config: TrialConfig) -> LayersOfWidths:
    return _by_stage(network.features, config.depths)


def _of_vgg16(network: VGG16, config: TrialConfig) -> LayersOfWidths:
    hidden: LayersOfWidths = [[layer] for layer in network.hidden if isinstance(layer, nn.Linear)]
    return _by_stage(network.features, VGG16_DEPTHS) + hidden


def _by_stage(features: nn.Sequential, depths: tuple[int, ...]) -> LayersOfWidths:
    layers = [layer for layer in features if isinstance(layer, nn.Conv2d)]
    ends = [sum(depths[: stage + 1]) for stage in range(len(depths))]
    return [list(layers[end - depth : end]) for end, depth in zip(ends, depths, strict=True)]


def _of_resnet50(network: ResNet50, config: TrialConfig) -> LayersOfWidths:
    def convolutions(sequence: nn.Module) -> list[nn.Conv2d | nn.Linear]:
        return [layer for layer in sequence.children() if isinstance(layer, nn.Conv2d)]

    blocks = [convolutions(block.residual) for block in network.blocks.children()]  # type: ignore[arg-type]
    ends = [sum(resnet50.DEPTHS[: stage + 1]) for stage in range(len(resnet50.DEPTHS))]
    stages = [blocks[end - depth : end] for end, depth in zip(ends, resnet50.DEPTHS, strict=True)]
    inner = [[layer for block in stage for layer in block[:2]] for stage in stages]
    return [convolutions(network.stem), *inner, *([stage[0][2]] for stage in stages)]


@dataclass(frozen=True)
class _WidthsDescription:
    """What can be chosen in one network.

    Attributes:
        original: the widths of the unpruned network; None where the trial's ``widths`` are the network's.
        stages: the stage of each width, 0 to 4.
        layers: given the network and its trial, lists the layers of each width.
    """

    original: Widths | None
    stages: tuple[int, ...]
    layers: Callable[[Any, TrialConfig], LayersOfWidths]


_VGG16 = _WidthsDescription(vgg16.WIDTHS, (0, 1, 2, 3, 4, 4, 4), _of_vgg16)
#: The networks that can be pruned, with their widths.
PRUNABLE_NETWORKS: Mapping[Network, _WidthsDescription] = {
    "compact": _WidthsDescription(None, (0, 1, 2, 3, 4), _of_compact),
    "vgg16": _VGG16,
    "vgg16-bn": _VGG16,
    "resnet50": _WidthsDescription(resnet50.WIDTHS, (0, 1, 2, 3, 4, 1, 2, 3, 4), _of_resnet50),
}
