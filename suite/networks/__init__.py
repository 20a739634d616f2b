"""The paper's compact network, its presets, and the networks that it is compared with."""

from suite.networks.build import (
    SMALLEST_RESOLUTION,
    assemble_network,
    build_network,
    to_device,
)
from suite.networks.compact import CompactNet
from suite.networks.resnet50 import ResNet50
from suite.networks.validation import STAGES
from suite.networks.vgg16 import VGG16
from suite.networks.widths import Widths, layers_of_widths, stages_of_widths, widths_of, with_widths
from suite.presets import PRESETS, VGG16_DEPTHS, Architecture

__all__ = [
    "PRESETS",
    "SMALLEST_RESOLUTION",
    "STAGES",
    "VGG16",
    "VGG16_DEPTHS",
    "Architecture",
    "CompactNet",
    "ResNet50",
    "Widths",
    "assemble_network",
    "build_network",
    "layers_of_widths",
    "stages_of_widths",
    "to_device",
    "widths_of",
    "with_widths",
]
