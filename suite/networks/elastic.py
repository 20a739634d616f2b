"""One set of weights from which every narrower and shallower compact network is sliced.

A slice takes the first channels of each layer and the first layers of each stage, so that all slices share
their weights (Yu et al. 2019, slimmable networks; Cai et al. 2020, Once-for-All; Yu et al. 2020, BigNAS).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from suite.errors import RequestError
from suite.methods.heads import Head, per_bin
from suite.networks.compact import CompactNet
from suite.networks.validation import STAGES
from suite.presets import VGG16_DEPTHS, Architecture
from suite.trial import Pooling

#: Normalises ``(features, weight, bias, eps)`` by the statistics of a batch, as ``batch_norm_of_one_process`` does.
BatchNorm: TypeAlias = Callable[[Tensor, Tensor, Tensor, float], Tensor]


def batch_norm_of_one_process(features: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Normalise features by their own statistics.

    Args:
        features: float (batch, channels, height, width).
        weight: float32 (channels,); so is bias.
        bias: Is added last.
        eps: Is added to the variance.
    """
    return nn.functional.batch_norm(features, None, None, weight, bias, training=True, eps=eps)


@dataclass(frozen=True)
class ElasticSpace:
    """The architectures that share weights: the choices of each stage, independent of the other stages.

    Raises:
        RequestError: Not five stages, a stage without a choice, or a choice below 1.
    """

    widths: tuple[tuple[int, ...], ...]  # channels that each stage may have
    depths: tuple[tuple[int, ...], ...]  # convolutions that each stage may have

    def __post_init__(self) -> None:
        for name, choices in (("widths", self.widths), ("depths", self.depths)):
            if len(choices) != STAGES or any(not stage or min(stage) < 1 for stage in choices):
                raise RequestError(
                    f"{name} to share are {choices}; name at least one number from 1 for each of {STAGES} stages"
                )

    def __contains__(self, architecture: object) -> bool:
        """Whether an architecture is one of them."""
        if not isinstance(architecture, Architecture):
            return False
        sizes, choices = (*architecture.widths, *architecture.depths), (*self.widths, *self.depths)
        is_whole = len(architecture.widths) == len(architecture.depths) == STAGES
        return is_whole and all(size in stage for size, stage in zip(sizes, choices, strict=True))

    @property
    def largest(self) -> Architecture:
        """The architecture that every other one is a slice of."""
        return Architecture(tuple(map(max, self.widths)), tuple(map(max, self.depths)))

    @property
    def smallest(self) -> Architecture:
        """The architecture that is a slice of every other one."""
        return Architecture(tuple(map(min, self.widths)), tuple(map(min, self.depths)))

    def draw(self) -> Architecture:
        """Draw each stage's width and depth uniformly, from torch's current random state."""
        return Architecture(tuple(map(_choose, self.widths)), tuple(map(_choose, self.depths)))


class ElasticNet(nn.Module):
    """A compact network whose slices are compact networks, too.

    Attributes:
        largest: The network that holds all weights; its state is the elastic network's.

    Raises:
        RequestError: The widths, depths or bins describe no compact network.
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
        self.largest = CompactNet(widths, depths, pooling, bins, head)
        self.architecture = Architecture(tuple(widths), tuple(depths))
        self._pooling: Pooling = pooling
        self._bins, self._head = bins, head

    def forward(
        self,
        images: Tensor,
        architecture: Architecture | None = None,
        batch_norm: BatchNorm | None = None,
    ) -> Tensor:
        """Compute the outputs of a slice, normalised by the statistics of this batch.

        The network keeps no running statistics: those of a slice are its own, and ``slice`` gives them a place.

        Args:
            images: Normalised, float (batch, 3, side, side).
            architecture: Of the slice; None: of the largest network.
            batch_norm: Normalises features; None: by the statistics of these images alone.

        Returns:
            what the output layer gives, float (batch, outputs).

        Raises:
            RequestError: The architecture is wider or deeper than the largest network.
        """
        architecture = architecture or self.architecture
        self._check(architecture)
        batch_norm = batch_norm or batch_norm_of_one_process
        features, kept = images, iter(self._kept_layers(architecture))
        for layer in self.largest.features:
            if isinstance(layer, nn.MaxPool2d):
                features = layer(features)
            elif isinstance(layer, nn.Conv2d) and (width := next(kept)):
                features = nn.functional.conv2d(
                    features, layer.weight[:width, : features.shape[1]], padding=layer.padding
                )
            elif isinstance(layer, nn.BatchNorm2d) and width:
                features = batch_norm(features, layer.weight[:width], layer.bias[:width], layer.eps)
            elif isinstance(layer, nn.ReLU) and width:
                features = nn.functional.relu(features, inplace=True)
        embedded: Tensor = self.largest.pool(features).flatten(1)
        outputs: Tensor = torch.func.functional_call(
            self.largest.head, self._head_parameters(embedded.shape[1]), (embedded,)
        )
        return outputs

    def slice(self, architecture: Architecture) -> CompactNet:
        """Copy the weights of a slice into a plain network, whose running statistics are still to be measured.

        Raises:
            RequestError: The architecture is wider or deeper than the largest network.
        """
        self._check(architecture)
        with torch.random.fork_rng(devices=[]):  # the initial weights are overwritten
            network = CompactNet(
                architecture.widths, architecture.depths, self._pooling, self._bins, self._head
            )
        sources = [layer for layer in self.largest.features if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
        widths = [width for width in self._kept_layers(architecture) for _ in range(2)]  # convolution, norm
        shared = [layer for layer, width in zip(sources, widths, strict=True) if width]
        own = [layer for layer in network.features if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
        with torch.no_grad():
            for source, target in zip(shared, own, strict=True):
                for name, parameter in target.named_parameters():
                    whole = source.get_parameter(name)
                    parameter.copy_(whole[tuple(slice(size) for size in parameter.shape)])
            for name, kept in self._head_parameters(architecture.widths[-1]).items():
                network.head.get_parameter(name).copy_(kept)
        device = next(self.parameters()).device
        return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def _kept_layers(self, architecture: Architecture) -> list[int]:
        """The width of each convolution of the largest network in a slice; 0 for one that it lacks."""
        return [
            width if layer < depth else 0
            for width, depth, most in zip(
                architecture.widths, architecture.depths, self.architecture.depths, strict=True
            )
            for layer in range(most)
        ]

    def _head_parameters(self, features: int) -> dict[str, Tensor]:
        """The output layer's parameters for the first ``features`` features: matrices act on them."""
        return {
            name: parameter[:, :features] if parameter.ndim == 2 else parameter
            for name, parameter in self.largest.head.named_parameters()
        }

    def _check(self, architecture: Architecture) -> None:
        for name in ("widths", "depths"):
            wanted, most = getattr(architecture, name), getattr(self.architecture, name)
            if len(wanted) != STAGES or any(not 1 <= w <= m for w, m in zip(wanted, most, strict=True)):
                raise RequestError(
                    f"{name} {wanted} are not a slice of an elastic network of {most}; give {STAGES} numbers "
                    "from 1 up to these"
                )


def _choose(choices: Sequence[int]) -> int:
    return choices[int(torch.randint(len(choices), ()))]
