"""Structured pruning with torch-pruning: channels that matter least are cut out of a trained network.

torch-pruning finds what belongs to a channel (the filter, its normalisation, the next layer's inputs),
scores it and cuts it. Which channels go is decided here, because layers that share a width
(``suite.networks.widths``) must go on sharing it: then the result is a network of the same kind again,
described by its widths alone.
"""

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from suite.compression.widths import Floats
from suite.data.dataset import LabelledImages
from suite.errors import RequestError
from suite.methods import METHODS, LossWeights, Truth
from suite.methods.labels import LabelSet
from suite.networks import Widths, build_network, layers_of_widths, with_widths
from suite.optional_dependencies import need
from suite.training.inputs import normalised
from suite.trial import Importance, TrialConfig

#: The class of torch-pruning that scores channels, each with its paper in its docstring.
IMPORTANCES: Mapping[Importance, str] = {
    "magnitude": "GroupMagnitudeImportance",
    "taylor": "GroupTaylorImportance",
    "lamp": "LAMPImportance",
    "bn-scale": "BNScaleImportance",
}
#: Training images whose gradients make the Taylor scores.
TAYLOR_IMAGES = 512


@dataclass(frozen=True)
class ChannelScores:
    """How important each channel is, float (width,) for each layer, by width; nothing is sorted."""

    widths: tuple[tuple[Tensor, ...], ...]

    def falling(self) -> list[Floats]:
        """For each width the score of its best, second best, ... channel, averaged over its layers."""
        return [
            torch.stack([layer.sort(descending=True).values for layer in layers]).mean(0).double().numpy()
            for layers in self.widths
        ]


def score_channels(
    network: nn.Module,
    config: TrialConfig,
    label_set: LabelSet,
    importance: Importance,
    train: LabelledImages,
) -> ChannelScores:
    """Score every channel of a network, on one scale for all layers (a layer's mean score is 1).

    LAMP has a scale of its own, which is one for all layers as well.

    Args:
        network: trained; it stays as it is.
        config: its own.
        label_set: its own.
        importance: how.
        train: the training split; only Taylor looks at it.

    Raises:
        RequestError: torch-pruning is missing.
    """
    scored = _copied(network)
    if importance == "taylor":
        _take_gradients(scored, config, label_set, train)
    pruning, graph = _graph(scored, config.resolution)
    score = getattr(pruning.importance, IMPORTANCES[importance])()
    return ChannelScores(
        tuple(
            tuple(
                score(_group(pruning, graph, layer, list(range(outputs_of(layer))))).detach()
                for layer in layers
            )
            for layers in layers_of_widths(scored, config)
        )
    )


def check_importance(importance: Importance, config: TrialConfig) -> None:
    """Raises:
    RequestError: the network has layers that this does not score.
    """
    if importance == "bn-scale" and config.network in ("vgg16", "vgg16-bn"):
        raise RequestError(
            f"{config.network} has layers without batch normalisation, of which bn-scale says nothing; "
            "choose taylor, magnitude or lamp"
        )


def cut(
    network: nn.Module, config: TrialConfig, bins: int, widths: Widths, scores: ChannelScores
) -> nn.Module:
    """The network with the best ``widths[i]`` channels of each layer of width ``i``, and nothing trained.

    Args:
        network: it stays as it is.
        config: its own.
        bins: of its label set.
        widths: what is to be left.
        scores: of its channels.
    """
    smaller = _copied(network)
    pruning, graph = _graph(smaller, config.resolution)
    for layers, width, layer_scores in zip(
        layers_of_widths(smaller, config), widths, scores.widths, strict=True
    ):
        for layer, score in zip(layers, layer_scores, strict=True):
            if lost := sorted(score.argsort(descending=True, stable=True)[width:].tolist()):
                _group(pruning, graph, layer, lost).prune()
    # Widths alone must rebuild it, as they will when it is loaded.
    rebuilt = build_network(with_widths(config, widths), bins)
    rebuilt.load_state_dict(smaller.state_dict())
    return rebuilt.eval()


def outputs_of(layer: nn.Conv2d | nn.Linear) -> int:
    """Channels that a layer gives."""
    return layer.out_channels if isinstance(layer, nn.Conv2d) else layer.out_features


def _copied(network: nn.Module) -> nn.Module:
    copied = copy.deepcopy(network).cpu().float().eval()
    for parameter in copied.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    return copied


def _graph(network: nn.Module, resolution: int) -> tuple[Any, Any]:
    pruning = need("torch_pruning", "Pruning")
    images = torch.zeros(1, 3, resolution, resolution)
    # CORAL's biases belong to thresholds, not to channels.
    head = network.get_submodule("head")
    own = [] if isinstance(head, nn.Linear) else [*head.parameters(recurse=False)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unwrapped parameters detected")  # ignored ones, too
        graph = pruning.DependencyGraph()
        return pruning, graph.build_dependency(network, example_inputs=images, ignored_params=own)


def _group(pruning: Any, graph: Any, layer: nn.Conv2d | nn.Linear, channels: list[int]) -> Any:
    convolves = isinstance(layer, nn.Conv2d)
    cutting = pruning.prune_conv_out_channels if convolves else pruning.prune_linear_out_channels
    return graph.get_pruning_group(layer, cutting, idxs=channels)


def _take_gradients(
    network: nn.Module, config: TrialConfig, label_set: LabelSet, train: LabelledImages
) -> None:
    """Leave the gradient of the trial's own loss on training images in ``grad``, batch norm as evaluated."""
    part = train.first(TAYLOR_IMAGES)
    deviations = part.deviations.nan_to_num(2.0 * config.label_step)
    if config.label_deviation is not None:
        deviations = torch.full_like(deviations, config.label_deviation)
    for batch in torch.split(torch.arange(len(part)), 64):
        truth = Truth(part.labels[batch], deviations[batch])
        outputs = network(normalised(part.images[part.rows[batch]]))
        loss = METHODS[config.method].loss(outputs, truth, label_set, LossWeights.of(config))
        (loss.total * (len(batch) / len(part))).backward()  # type: ignore[no-untyped-call]
