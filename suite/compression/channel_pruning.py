"""Scoring channels and cutting them out of a network, with torch-pruning.

This module prunes a network once and trains nothing; ``suite.compression.prune_and_finetune`` makes a trial of it, by
rounds of cutting and training.

torch-pruning finds what belongs to a channel (the filter, its normalisation, the inputs of the next layer), scores it
and cuts it. This module decides which channels go: layers that share a width (``suite.networks.widths``) must keep
sharing it, so that the result is a network of the same kind, described by its widths alone.
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
from suite.methods import METHODS, LossWeights, Targets
from suite.methods.labels import LabelSet
from suite.networks import Widths, build_network, layers_of_widths, with_widths
from suite.optional_dependencies import need
from suite.training.inputs import normalised
from suite.trial import Importance, TrialConfig

#: The class of torch-pruning that scores channels; its docstring names the paper.
IMPORTANCES: Mapping[Importance, str] = {
    "magnitude": "GroupMagnitudeImportance",
    "taylor": "GroupTaylorImportance",
    "lamp": "LAMPImportance",
    "bn-scale": "BNScaleImportance",
}
#: Training images whose gradients the Taylor scores are made from.
TAYLOR_IMAGES = 512


@dataclass(frozen=True)
class ChannelScores:
    """How important each channel is.

    Attributes:
        widths: For each width of the network, the scores of each layer of that width, float (width,), in the order of
            the channels.
    """

    widths: tuple[tuple[Tensor, ...], ...]

    def descending(self) -> list[Floats]:
        """Return, for each width, the score of its best, second best, ... channel, averaged over its layers."""
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
    """Score every channel of a network on one scale for all layers.

    The mean score of a layer is 1, except with LAMP, which has a common scale of its own.

    Args:
        network: A trained network; it is not changed.
        config: Its configuration.
        label_set: Its label set.
        importance: The criterion.
        train: The training split; only Taylor uses it.

    Raises:
        RequestError: torch-pruning is not installed.
    """
    scored = _copy_for_pruning(network)
    if importance == "taylor":
        _take_gradients(scored, config, label_set, train)
    pruning, graph = _dependency_graph(scored, config.resolution)
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
    """Refuse a criterion that cannot score every layer of a network.

    Raises:
        RequestError: The network has layers without batch normalisation, and the criterion needs it.
    """
    if importance == "bn-scale" and config.network in ("vgg16", "vgg16-bn"):
        raise RequestError(
            f"{config.network} has layers without batch normalisation, which bn-scale cannot score; "
            "choose taylor, magnitude or lamp"
        )


def cut(
    network: nn.Module, config: TrialConfig, bins: int, widths: Widths, scores: ChannelScores
) -> nn.Module:
    """Return a network with the best ``widths[i]`` channels of each layer of width ``i``; nothing is trained.

    Args:
        network: The network to cut; it is not changed.
        config: Its configuration.
        bins: Bins of its label set.
        widths: Channels to keep.
        scores: Scores of its channels.
    """
    pruned = _copy_for_pruning(network)
    pruning, graph = _dependency_graph(pruned, config.resolution)
    for layers, width, layer_scores in zip(
        layers_of_widths(pruned, config), widths, scores.widths, strict=True
    ):
        for layer, score in zip(layers, layer_scores, strict=True):
            if removed := sorted(score.argsort(descending=True, stable=True)[width:].tolist()):
                _group(pruning, graph, layer, removed).prune()
    # Loading a file rebuilds the network from its widths alone; do the same here.
    rebuilt = build_network(with_widths(config, widths), bins)
    rebuilt.load_state_dict(pruned.state_dict())
    return rebuilt.eval()


def outputs_of(layer: nn.Conv2d | nn.Linear) -> int:
    """Return the number of output channels of a layer."""
    return layer.out_channels if isinstance(layer, nn.Conv2d) else layer.out_features


def _copy_for_pruning(network: nn.Module) -> nn.Module:
    copied = copy.deepcopy(network).cpu().float().eval()
    for parameter in copied.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    return copied


def _dependency_graph(network: nn.Module, resolution: int) -> tuple[Any, Any]:
    pruning = need("torch_pruning", "Pruning")
    images = torch.zeros(1, 3, resolution, resolution)
    # The biases of CORAL belong to thresholds, not to channels.
    head = network.get_submodule("head")
    ignored = [] if isinstance(head, nn.Linear) else [*head.parameters(recurse=False)]
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Unwrapped parameters detected"
        )  # it warns of ignored ones too
        graph = pruning.DependencyGraph()
        return pruning, graph.build_dependency(network, example_inputs=images, ignored_params=ignored)


def _group(pruning: Any, graph: Any, layer: nn.Conv2d | nn.Linear, channels: list[int]) -> Any:
    is_convolution = isinstance(layer, nn.Conv2d)
    prune = pruning.prune_conv_out_channels if is_convolution else pruning.prune_linear_out_channels
    return graph.get_pruning_group(layer, prune, idxs=channels)


def _take_gradients(
    network: nn.Module, config: TrialConfig, label_set: LabelSet, train: LabelledImages
) -> None:
    """Accumulate the gradient of the trial's own loss on training images in ``grad``, in evaluation mode."""
    part = train.first(TAYLOR_IMAGES)
    deviations = part.deviations.nan_to_num(2.0 * config.label_step)
    if config.label_deviation is not None:
        deviations = torch.full_like(deviations, config.label_deviation)
    for batch in torch.split(torch.arange(len(part)), 64):
        targets = Targets(part.labels[batch], deviations[batch])
        outputs = network(normalised(part.images[part.rows[batch]]))
        loss = METHODS[config.method].loss(outputs, targets, label_set, LossWeights.of(config))
        (loss.total * (len(batch) / len(part))).backward()  # type: ignore[no-untyped-call]
