"""ResNet-50, the reference for the paper's attractiveness results."""

from collections.abc import Sequence

from torch import Tensor, nn

from suite.methods.heads import Head, per_bin
from suite.networks.validation import check_pruned_widths
from suite.networks.weight_init import init_weights

DEPTHS = (3, 4, 6, 3)  # blocks of each stage
#: Channels of the stem, then inside the blocks of each stage, then of the output of each stage.
WIDTHS = (64, 64, 128, 256, 512, 256, 512, 1024, 2048)


class ResNet50(nn.Module):
    """ResNet-50 (He 2016) with an output layer for the label bins, 25,557,032 parameters at 1000 bins.

    The stride of a stage is in the 3x3 convolution of its first block ("v1.5"). He has it in the 1x1 convolution
    before; the number of parameters is the same, multiply-adds at 224 pixels are 4.1 G instead of 3.8 G. A pruned
    network has ``widths`` of its own.

    Raises:
        RequestError: The number of widths is not nine, or a width is below 1.
    """

    def __init__(self, bins: int = 101, head: Head = per_bin, *, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        check_pruned_widths(widths, WIDTHS)
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
        """Return the features, float (batch, widths[-1]), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.pool(self.blocks(self.stem(images))).flatten(1)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs, float (batch, outputs), of normalised images, float (batch, 3, side, side)."""
        outputs: Tensor = self.head(self.embed(images))
        return outputs


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions with a shortcut, which is the identity or a projection."""

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
        """Map float (batch, entering, side, side) to float (batch, leaving, side / stride, side / stride)."""
        outputs: Tensor = self.relu(self.residual(features) + self.shortcut(features))
        return outputs


def _convolution(entering: int, leaving: int, size: int, stride: int) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(entering, leaving, size, stride, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(leaving)
