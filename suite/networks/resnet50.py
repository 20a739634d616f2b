"""ResNet-50, the network that the paper's attractiveness results are compared with."""

from collections.abc import Sequence

from torch import Tensor, nn

from suite.methods.heads import Head, one_a_bin
from suite.networks.weight_init import check_widths, init_weights

DEPTHS = (3, 4, 6, 3)  # blocks of each stage
#: Channels of the stem, inside of the blocks of each stage, and of what each stage gives.
WIDTHS = (64, 64, 128, 256, 512, 256, 512, 1024, 2048)


class ResNet50(nn.Module):
    """ResNet-50 (He 2016) with an output layer for the label bins, 25,557,032 parameters at 1000 bins.

    The stride of a stage is in the 3x3 convolution of its first block ("v1.5"), where He had it in
    the 1x1 convolution before it; parameters are the same, multiply-adds at 224 are 4.1 G, not 3.8 G.
    ``widths`` are its own unless it was pruned.

    Raises:
        RequestError: not nine widths, or one below 1.
    """

    def __init__(self, bins: int = 101, head: Head = one_a_bin, *, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        check_widths(widths, WIDTHS)
        entering, inner, leaving = widths[0], widths[1:5], widths[5:]
        self.stem = nn.Sequential(
            *_convolution(3, entering, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        )
        blocks: list[nn.Module] = []
        for stage, depth in enumerate(DEPTHS):
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(Bottleneck(entering, inner[stage], leaving[stage], stride, projects=block == 0))
                entering = leaving[stage]
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = head(entering, bins)
        self.apply(init_weights)

    def embed(self, images: Tensor) -> Tensor:
        """Features, float (batch, widths[-1]), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.pool(self.blocks(self.stem(images))).flatten(1)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """What the output layer makes of the features of normalised images, float (batch, 3, side, side)."""
        outputs: Tensor = self.head(self.embed(images))
        return outputs


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around which the input is carried, or projected, and added."""

    def __init__(self, entering: int, width: int, leaving: int, stride: int, *, projects: bool) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_convolution(entering, width, 1, 1),
            nn.ReLU(inplace=True),
            *_convolution(width, width, 3, stride),
            nn.ReLU(inplace=True),
            *_convolution(width, leaving, 1, 1),
        )
        self.shortcut = (
            nn.Sequential(*_convolution(entering, leaving, 1, stride)) if projects else nn.Identity()
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Float (batch, leaving, side / stride, side / stride) of float (batch, entering, side, side)."""
        carried: Tensor = self.relu(self.residual(features) + self.shortcut(features))
        return carried


def _convolution(entering: int, leaving: int, size: int, stride: int) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(entering, leaving, size, stride, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(leaving)
