"""The compact networks that have a name, and the depths of VGG-16 that they share. This module is free of torch."""

from collections.abc import Mapping
from dataclasses import dataclass

#: 3x3 convolutions in each of VGG-16's five stages.
VGG16_DEPTHS = (2, 2, 3, 3, 3)


@dataclass(frozen=True)
class Architecture:
    """Widths (channels) and depths (3x3 convolutions) of the five stages."""

    widths: tuple[int, ...]
    depths: tuple[int, ...] = VGG16_DEPTHS


#: Thin, tiny and micro are VGG-16's widths (64, 128, 256, 512, 512) times 1/2, 1/4 and 1/8 (paper, network
#: architecture). Thin-128 is thin with no stage over 128 channels (released code).
PRESETS: Mapping[str, Architecture] = {
    "thin": Architecture((32, 64, 128, 256, 256)),
    "tiny": Architecture((16, 32, 64, 128, 128)),
    "micro": Architecture((8, 16, 32, 64, 64)),
    "thin-128": Architecture((32, 64, 128, 128, 128)),
}
