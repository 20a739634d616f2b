"""VGG-16, the reference for the paper's compact networks."""

from collections.abc import Sequence

from torch import Tensor, nn

from suite.methods.heads import Head, per_bin
from suite.networks.validation import check_pruned_widths
from suite.networks.weight_init import init_weights
from suite.presets import VGG16_DEPTHS

#: Channels of the convolutions of each stage, then of the two hidden linear layers.
WIDTHS = (64, 128, 256, 512, 512, 4096, 4096)


class VGG16(nn.Module):
    """VGG-16 (Simonyan and Zisserman 2015) with an output layer for the label bins.

    The last feature map is pooled to 7x7 before the linear layers, so the number of parameters is the same at
    every resolution: 134,674,341 with 101 bins. With ``batch_norm``, batch normalisation follows each convolution,
    which keeps its bias. That form trains from scratch; the original hardly does. A pruned network has ``widths``
    of its own.

    Raises:
        RequestError: The number of widths is not seven, or a width is below 1.
    """

    def __init__(
        self,
        bins: int = 101,
        head: Head = per_bin,
        *,
        batch_norm: bool = False,
        widths: Sequence[int] = WIDTHS,
    ) -> None:
        super().__init__()
        check_pruned_widths(widths, WIDTHS)
        *stages, first, second = widths
        layers: list[nn.Module] = []
        entering = 3
        for width, depth in zip(stages, VGG16_DEPTHS, strict=True):
            for _ in range(depth):
                layers.append(nn.Conv2d(entering, width, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(width))
                layers.append(nn.ReLU(inplace=True))
                entering = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(7)
        self.hidden = nn.Sequential(
            nn.Linear(entering * 7 * 7, first),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(first, second),
            nn.ReLU(inplace=True),
            nn.Dropout(),
        )
        self.head = head(second, bins)
        self.apply(init_weights)

    def embed(self, images: Tensor) -> Tensor:
        """Return the features, float (batch, widths[-1]), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.hidden(self.pool(self.features(images)).flatten(1))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs, float (batch, outputs), of normalised images, float (batch, 3, side, side)."""
        outputs: Tensor = self.head(self.embed(images))
        return outputs
