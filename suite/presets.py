"""The networks that have a name: what a command or a search space may call them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from suite.trial import Network, TrialConfig

VGG16_DEPTHS = (2, 2, 3, 3, 3)


@dataclass(frozen=True)
class Architecture:
    """Widths (channels) and depths (3x3 convolutions) of the five stages."""

    widths: tuple[int, ...]
    depths: tuple[int, ...] = VGG16_DEPTHS


#: VGG-16's widths (64, 128, 256, 512, 512) times 1/2, 1/4 and 1/8 (paper, network architecture), and
#: Thin with no stage over 128 channels (released code).
PRESETS: Mapping[str, Architecture] = {
    "thin": Architecture((32, 64, 128, 256, 256)),
    "tiny": Architecture((16, 32, 64, 128, 128)),
    "micro": Architecture((8, 16, 32, 64, 64)),
    "thin-128": Architecture((32, 64, 128, 128, 128)),
}

#: Every network that has a name.
NETWORKS = (*PRESETS, *(name for name in get_args(Network) if name != "compact"))


def config_of_network(name: str) -> TrialConfig:
    """A trial of the network with a name in ``NETWORKS``, all else as it is by default."""
    if name in PRESETS:
        return TrialConfig(widths=PRESETS[name].widths, depths=PRESETS[name].depths)
    return TrialConfig(network=next(word for word in get_args(Network) if word == name))
