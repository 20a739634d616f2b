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

from torch import nn

from suite.networks import resnet50, vgg16
from suite.networks.compact import CompactNet
from suite.networks.resnet50 import ResNet50
from suite.networks.vgg16 import VGG16
from suite.presets import VGG16_DEPTHS
from suite.trial import TrialConfig

Widths = tuple[int, ...]


def widths_of(config: TrialConfig) -> Widths:
    """Return the widths of a trial's network."""
    if config.network == "compact":
        return config.widths
    original = resnet50.WIDTHS if config.network == "resnet50" else vgg16.WIDTHS
    return config.pruned_widths or original


def with_widths(config: TrialConfig, widths: Widths) -> TrialConfig:
    """Return the trial with a network of these widths."""
    if config.network == "compact":
        return dataclasses.replace(config, widths=widths)
    return dataclasses.replace(config, pruned_widths=widths)


def stages_of_widths(config: TrialConfig) -> tuple[int, ...]:
    """Return the stage of each width, 0 to 4; the stem belongs to the first, hidden layers to the last."""
    if config.network == "compact":
        return 0, 1, 2, 3, 4
    return (0, 1, 2, 3, 4, 1, 2, 3, 4) if config.network == "resnet50" else (0, 1, 2, 3, 4, 4, 4)


def layers_of_widths(network: nn.Module, config: TrialConfig) -> list[list[nn.Conv2d | nn.Linear]]:
    """Return, for each width, the layers that have it as their number of outputs.

    Layers whose outputs are added share their channels; only one of them is listed.

    Raises:
        TypeError: The network is not one of ``suite.networks``.
    """
    if isinstance(network, CompactNet):
        return _by_stage(network.features, config.depths)
    if isinstance(network, VGG16):
        hidden: list[list[nn.Conv2d | nn.Linear]] = [
            [layer] for layer in network.hidden if isinstance(layer, nn.Linear)
        ]
        return _by_stage(network.features, VGG16_DEPTHS) + hidden
    if isinstance(network, ResNet50):
        return _of_resnet50(network)
    raise TypeError(f"{type(network).__name__} has no widths to choose")


def _by_stage(features: nn.Sequential, depths: tuple[int, ...]) -> list[list[nn.Conv2d | nn.Linear]]:
    layers = [layer for layer in features if isinstance(layer, nn.Conv2d)]
    ends = [sum(depths[: stage + 1]) for stage in range(len(depths))]
    return [list(layers[end - depth : end]) for end, depth in zip(ends, depths, strict=True)]


def _of_resnet50(network: ResNet50) -> list[list[nn.Conv2d | nn.Linear]]:
    def convolutions(sequence: nn.Module) -> list[nn.Conv2d | nn.Linear]:
        return [layer for layer in sequence.children() if isinstance(layer, nn.Conv2d)]

    blocks = [convolutions(block.residual) for block in network.blocks.children()]  # type: ignore[arg-type]
    ends = [sum(resnet50.DEPTHS[: stage + 1]) for stage in range(len(resnet50.DEPTHS))]
    stages = [blocks[end - depth : end] for end, depth in zip(ends, resnet50.DEPTHS, strict=True)]
    inner = [[layer for block in stage for layer in block[:2]] for stage in stages]
    return [convolutions(network.stem), *inner, *([stage[0][2]] for stage in stages)]
