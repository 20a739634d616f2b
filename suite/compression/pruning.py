"""Structured pruning with torch-pruning: channels that matter least are cut out of a trained network.

torch-pruning finds what belongs to a channel (the filter, its normalisation, the next layer's inputs),
scores it and cuts it. Which channels go is decided here, because the layers of a stage must keep the
same width: then the result is a ``CompactNet`` again, described by its widths alone.
"""

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from suite.compression.extra import need
from suite.compression.widths import Floats, Widths
from suite.data.dataset import LabelledImages
from suite.errors import RequestError
from suite.inputs import normalised
from suite.labels import LabelSet
from suite.methods import METHODS, LossWeights, Truth
from suite.networks import CompactNet
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
    """How important each channel is, float (width,) for each convolution, by stage; nothing is sorted."""

    stages: tuple[tuple[Tensor, ...], ...]

    def falling(self) -> list[Floats]:
        """For each stage the score of its best, second best, ... channel, averaged over its layers."""
        return [
            torch.stack([layer.sort(descending=True).values for layer in stage]).mean(0).double().numpy()
            for stage in self.stages
        ]


def score_channels(
    network: nn.Module,
    config: TrialConfig,
    label_set: LabelSet,
    importance: Importance,
    train: LabelledImages,
) -> ChannelScores:
    """Score every channel of a compact network, on one scale for all layers (a layer's mean score is 1).

    LAMP has a scale of its own, which is one for all layers as well.

    Args:
        network: trained; it stays as it is.
        config: its own.
        label_set: its own.
        importance: how.
        train: the training split; only Taylor looks at it.

    Raises:
        RequestError: torch-pruning is missing, or the network is not a compact one.
    """
    scored = _compact(network)
    if importance == "taylor":
        _take_gradients(scored, config, label_set, train)
    pruning, graph = _graph(scored, config.resolution)
    score = getattr(pruning.importance, IMPORTANCES[importance])()
    return ChannelScores(
        tuple(
            tuple(
                score(_group(pruning, graph, layer, list(range(layer.out_channels)))).detach()
                for layer in stage
            )
            for stage in stages_of(scored, config.depths)
        )
    )


def cut(
    network: nn.Module, config: TrialConfig, bins: int, widths: Widths, scores: ChannelScores
) -> CompactNet:
    """The network with the best ``widths[i]`` channels of each layer of stage ``i``, and nothing trained.

    Args:
        network: a compact one; it stays as it is.
        config: its own.
        bins: of its label set.
        widths: what is to be left.
        scores: of its channels.
    """
    smaller = _compact(network)
    pruning, graph = _graph(smaller, config.resolution)
    for stage, width, layer_scores in zip(
        stages_of(smaller, config.depths), widths, scores.stages, strict=True
    ):
        for layer, score in zip(stage, layer_scores, strict=True):
            if lost := sorted(score.argsort(descending=True, stable=True)[width:].tolist()):
                _group(pruning, graph, layer, lost).prune()
    # Widths alone must rebuild it, as they will when it is loaded.
    rebuilt = CompactNet(widths, config.depths, config.pooling, bins, METHODS[config.method].head)
    rebuilt.load_state_dict(smaller.state_dict())
    return rebuilt.eval()


def stages_of(network: CompactNet, depths: Sequence[int]) -> list[list[nn.Conv2d]]:
    """The convolutions of each stage, in order."""
    layers = [layer for layer in network.features if isinstance(layer, nn.Conv2d)]
    ends = [sum(depths[: stage + 1]) for stage in range(len(depths))]
    return [layers[end - depth : end] for end, depth in zip(ends, depths, strict=True)]


def check_compact(config: TrialConfig) -> None:
    """Raises:
    RequestError: the trial's network is not a compact one.
    """
    if config.network != "compact":
        raise RequestError(
            f"the trial's network is {config.network}, whose widths are no part of its configuration, so "
            "that a pruned one could not be rebuilt; prune a compact network"
        )


def _compact(network: nn.Module) -> CompactNet:
    copied = copy.deepcopy(network).cpu().float().eval()
    assert isinstance(copied, CompactNet), "check_compact comes first"
    for parameter in copied.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    return copied


def _graph(network: CompactNet, resolution: int) -> tuple[Any, Any]:
    pruning = need("torch_pruning", "Pruning")
    images = torch.zeros(1, 3, resolution, resolution)
    # CORAL's biases belong to thresholds, not to channels.
    head = network.head
    own = [] if isinstance(head, nn.Linear) else [*head.parameters(recurse=False)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unwrapped parameters detected")  # ignored ones, too
        graph = pruning.DependencyGraph()
        return pruning, graph.build_dependency(network, example_inputs=images, ignored_params=own)


def _group(pruning: Any, graph: Any, layer: nn.Conv2d, channels: list[int]) -> Any:
    return graph.get_pruning_group(layer, pruning.prune_conv_out_channels, idxs=channels)


def _take_gradients(
    network: CompactNet, config: TrialConfig, label_set: LabelSet, train: LabelledImages
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
