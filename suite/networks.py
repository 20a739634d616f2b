"""The compact VGG-like network of the paper, its presets, and the VGG-16 that it is compared with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from suite.errors import RequestError
from suite.trial import Pooling, TrialConfig

STAGES = 5
#: Every stage ends in a 2x2 max pooling, so a smaller image would be pooled away.
SMALLEST_RESOLUTION = 2**STAGES
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


class CompactNet(nn.Module):
    """The thin VGG-like network: five stages, one linear layer, softmax over the label bins.

    A stage is ``depths[i]`` times (3x3 convolution without bias, batch normalisation, ReLU) with
    ``widths[i]`` channels, closed by 2x2 max pooling. "hybrid" pooling keeps the fifth max pooling
    and averages what is left (7x7 at 224); "average" drops it and averages the fifth stage's output
    (14x14 at 224). Paper, section on network architecture.

    Raises:
        RequestError: not five stages, or a width, depth or number of bins below 1.
    """

    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int] = VGG16_DEPTHS,
        pooling: Pooling = "hybrid",
        bins: int = 101,
    ) -> None:
        super().__init__()
        _check_stages(widths, depths, bins)
        max_poolings = STAGES if pooling == "hybrid" else STAGES - 1
        layers: list[nn.Module] = []
        entering = 3
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for _ in range(depth):
                layers += [
                    nn.Conv2d(entering, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                ]
                entering = width
            if stage < max_poolings:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(entering, bins)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, float (batch, bins), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.pool(self.features(images)).flatten(1)
        logits: Tensor = self.head(features)
        return logits


class VGG16(nn.Module):
    """VGG-16 (Simonyan and Zisserman 2015) with a linear layer to the label bins.

    Its last feature map is pooled to 7x7 before the linear layers, so that it has the same
    parameters at every resolution: 134,674,341 with 101 bins.
    """

    def __init__(self, bins: int = 101) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        entering = 3
        for width, depth in zip((64, 128, 256, 512, 512), VGG16_DEPTHS, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(entering, width, 3, padding=1), nn.ReLU(inplace=True)]
                entering = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(7)
        head: list[nn.Module] = []
        for left, right in pairwise((512 * 7 * 7, 4096, 4096, bins)):
            head += [nn.Linear(left, right), nn.ReLU(inplace=True), nn.Dropout()]
        self.head = nn.Sequential(*head[:-2])  # no ReLU or dropout behind the last linear layer
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, float (batch, bins), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.pool(self.features(images)).flatten(1)
        logits: Tensor = self.head(features)
        return logits


def build_network(config: TrialConfig, bins: int) -> nn.Module:
    """The freshly initialised network of a trial, drawn from torch's current random state.

    Raises:
        RequestError: the configuration describes no network.
    """
    if config.resolution < SMALLEST_RESOLUTION:
        raise RequestError(
            f"a resolution of {config.resolution} pixels is below {SMALLEST_RESOLUTION}, which five "
            f"stages of 2x2 pooling need; set resolution to {SMALLEST_RESOLUTION} or more"
        )
    if config.network == "vgg16":
        return VGG16(bins)
    return CompactNet(config.widths, config.depths, config.pooling, bins)


def place(network: nn.Module, device: torch.device) -> nn.Module:
    """The network on a device, its weights channels-last in memory (faster convolutions)."""
    moved: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def _check_stages(widths: Sequence[int], depths: Sequence[int], bins: int) -> None:
    for name, values in (("widths", widths), ("depths", depths)):
        if len(values) != STAGES or min(values) < 1:
            raise RequestError(
                f"{name} are {tuple(values)}; a compact network needs {STAGES} whole numbers, each at least 1"
            )
    if bins < 2:
        raise RequestError(f"a label set of {bins} bins has nothing to estimate; it needs at least 2")


def _initialise(module: nn.Module) -> None:
    """Convolutions normal with variance 2 / (k * k * out), batch norm 1 and 0, biases 0 (released code)."""
    if isinstance(module, nn.Conv2d):
        kernel_area = module.kernel_size[0] * module.kernel_size[1]
        nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / (kernel_area * module.out_channels)))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
