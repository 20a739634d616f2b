"""VGG-16, the network that the paper's compact ones are compared with."""

from torch import Tensor, nn

from suite.methods.heads import Head, one_a_bin
from suite.networks.initialisation import initialise
from suite.presets import VGG16_DEPTHS

WIDTHS = (64, 128, 256, 512, 512)


class VGG16(nn.Module):
    """VGG-16 (Simonyan and Zisserman 2015) with an output layer for the label bins.

    Its last feature map is pooled to 7x7 before the linear layers, so that it has the same
    parameters at every resolution: 134,674,341 with 101 bins. With ``batch_norm`` each convolution,
    which keeps its bias, is followed by batch normalisation: this form trains from scratch, the
    original hardly does.
    """

    def __init__(self, bins: int = 101, head: Head = one_a_bin, *, batch_norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        entering = 3
        for width, depth in zip(WIDTHS, VGG16_DEPTHS, strict=True):
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
            nn.Linear(entering * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
        )
        self.head = head(4096, bins)
        self.apply(initialise)

    def embed(self, images: Tensor) -> Tensor:
        """Features, float (batch, 4096), of normalised images, float (batch, 3, side, side)."""
        features: Tensor = self.hidden(self.pool(self.features(images)).flatten(1))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """What the output layer makes of the features of normalised images, float (batch, 3, side, side)."""
        outputs: Tensor = self.head(self.embed(images))
        return outputs
