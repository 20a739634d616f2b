"""The compact VGG-like network of the paper."""

from collections.abc import Sequence

from torch import Tensor, nn

from suite.errors import RequestError
from suite.methods.heads import Head, one_a_bin
from suite.networks.weight_init import init_weights
from suite.presets import VGG16_DEPTHS
from suite.trial import Pooling

STAGES = 5


class CompactNet(nn.Module):
    """The thin VGG-like network: five stages and an output layer over the label bins.

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
        head: Head = one_a_bin,
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
        self.head = head(entering, bins)
        self.apply(init_weights)

    def embed(self, images: Tensor) -> Tensor:
        """Features, float (batch, widths[-1]), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.pool(self.features(images)).flatten(1)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """What the output layer makes of the features of normalised images, float (batch, 3, side, side)."""
        outputs: Tensor = self.head(self.embed(images))
        return outputs


def _check_stages(widths: Sequence[int], depths: Sequence[int], bins: int) -> None:
    for name, values in (("widths", widths), ("depths", depths)):
        if len(values) != STAGES or min(values) < 1:
            raise RequestError(
                f"{name} are {tuple(values)}; a compact network needs {STAGES} whole numbers, each at least 1"
            )
    if bins < 2:
        raise RequestError(f"a label set of {bins} bins has nothing to estimate; it needs at least 2")
