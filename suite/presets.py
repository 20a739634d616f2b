"""The compact networks that have a name."""

from collections.abc import Mapping
from dataclasses import dataclass

VGG16_DEPTHS = (2, 2, 3, 3, 3)


@dataclass(frozen=True)
class Architecture:
    """Widths (channels) and depths (3x3 convolutions) of the five stages."""

    widths: tuple[int, ...]
    depths: tuple[int, ...] = VGG16_DEPTHS


#: VGG-16's widths (64, 128, 256, 512, 512) times 1/2, 1/4 and 1/8 (paper, network architecture).
PRESETS: Mapping[str, Architecture] = {
    "thin": Architecture((32, 64, 128, 256, 256)),
    "tiny": Architecture((16, 32, 64, 128, 128)),
    "micro": Architecture((8, 16, 32, 64, 64)),
}
