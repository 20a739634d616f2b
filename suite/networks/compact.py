"""The paper's compact network, a thin VGG."""

from collections.abc import Sequence

from torch import Tensor, nn

from suite.methods.heads import Head, per_bin
from suite.networks.validation import STAGES, check_bins, check_stages
from suite.networks.weight_init import init_weights
from suite.presets import VGG16_DEPTHS
from suite.trial import Pooling


class CompactNet(nn.Module):
    """The thin VGG-like network: five stages and an output layer over the label bins.

    Stage i repeats (3x3 convolution without bias, batch normalisation, ReLU) ``depths[i]`` times with
    ``widths[i]`` channels, and ends with 2x2 max pooling. "hybrid" pooling keeps the fifth max pooling and
    averages its output (7x7 at 224 pixels). "average" drops the fifth max pooling and averages the fifth stage's
    output (14x14 at 224 pixels). Source: the paper's section on network architecture.

    Raises:
        RequestError: The number of stages is not five, a width or depth is below 1, or there are fewer than 2 bins.
    """

    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int] = VGG16_DEPTHS,
        pooling: Pooling = "hybrid",
        bins: int = 101,
        head: Head = per_bin,
    ) -> None:
        super().__init__()
        check_stages(widths, depths)
        check_bins(bins)
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
        self.head = head(entering, bins)
        self.apply(init_weights)

    def embed(self, images: Tensor) -> Tensor:
        """Return the features, float (batch, widths[-1]), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.pool(self.features(images)).flatten(1)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs, float (batch, outputs), of normalised images, float (batch, 3, side, side)."""
        outputs: Tensor = self.head(self.embed(images))
        return outputs
