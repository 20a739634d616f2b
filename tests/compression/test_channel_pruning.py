"""Pruning cuts whole channels, keeps the best, and leaves a network that its widths alone describe."""

import dataclasses
from pathlib import Path

import pytest
import torch

from suite.compression.channel_pruning import IMPORTANCES, check_importance, cut, score_channels
from suite.compression.widths import kept_widths
from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.measure.profiling import cost, count_parameters
from suite.methods import METHODS, LossWeights, Targets
from suite.methods.labels import label_set_of
from suite.networks import CompactNet, build_network, layers_of_widths, widths_of, with_widths
from suite.networks.weights import load_network, save_network
from suite.presets import PRESETS
from suite.training.inputs import normalised
from suite.trial import Importance, MethodName, TrialConfig
from tests.support.trained_runs import CONFIG, lively

THIN = TrialConfig(widths=PRESETS["thin"].widths, depths=PRESETS["thin"].depths, resolution=32)
WIDE = dataclasses.replace(CONFIG, widths=(8, 16, 16, 24, 24), depths=(1, 2, 1, 1, 2))


def test_thin_pruned_by_one_half_is_tiny() -> None:
    widths = kept_widths(THIN.widths, [0.5] * 5)
    assert widths == PRESETS["tiny"].widths
    network = build_network(THIN, 101)
    scores = score_channels(network, THIN, label_set_of(THIN), "magnitude", None)  # type: ignore[arg-type]
    pruned = cut(network, THIN, 101, widths, scores)
    assert count_parameters(pruned) == 934_869
    assert count_parameters(network) == 3_708_229


@pytest.mark.parametrize("importance", IMPORTANCES)
@pytest.mark.parametrize("method", ["dldl-v2", "coral"])
def test_every_importance_leaves_a_network_that_loads(
    importance: Importance, method: MethodName, dataset: Dataset, tmp_path: Path
) -> None:
    config = dataclasses.replace(WIDE, method=method)
    network = lively(config)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    scores = score_channels(network, config, label_set_of(config), importance, dataset.splits["train"])
    pruned = cut(network, config, 101, (8, 8, 8, 16, 8), scores)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    pruned_config = dataclasses.replace(config, widths=(8, 8, 8, 16, 8))
    save_network(pruned, pruned_config, tmp_path / "small.safetensors")
    loaded, config_loaded, _ = load_network(tmp_path / "small.safetensors")
    images = torch.randn(2, 3, 32, 32)
    assert config_loaded == pruned_config
    assert torch.equal(loaded(images), pruned(images))


def test_channels_without_effect_are_cut_first_and_the_outputs_stay(dataset: Dataset) -> None:
    """Half of each stage is dead: its filters, scales and shifts are zero. Cutting it changes no output."""
    network = lively(WIDE)
    assert isinstance(network, CompactNet)
    dead = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for layer, normalisation in zip(
            [m for m in network.features if isinstance(m, torch.nn.Conv2d)],
            [m for m in network.features if isinstance(m, torch.nn.BatchNorm2d)],
            strict=True,
        ):
            gone = torch.randperm(layer.out_channels, generator=dead)[8:]
            layer.weight[gone] = 0
            for tensor in (normalisation.weight, normalisation.bias, normalisation.running_mean):
                tensor[gone] = 0
    train = dataset.splits["train"]
    images = normalised(
        train.images[train.rows]
    )  # a channel that these never activate has no gradient either
    for importance in ("magnitude", "bn-scale", "taylor"):
        scores = score_channels(network, WIDE, label_set_of(WIDE), importance, train)
        pruned = cut(network, WIDE, 101, (8, 8, 8, 8, 8), scores)
        assert torch.allclose(pruned(images), network(images), atol=1e-4), importance


def test_taylor_scores_are_weights_times_gradients_of_the_trials_own_loss(dataset: Dataset) -> None:
    """The score of the first layer by hand: of its filters, and of the next layer's inputs from them."""
    network = lively(WIDE)
    assert isinstance(network, CompactNet)
    train = dataset.splits["train"]
    scores = score_channels(network, WIDE, label_set_of(WIDE), "taylor", train)
    targets = Targets(train.labels, train.deviations)
    outputs = network(normalised(train.images[train.rows]))
    METHODS[WIDE.method].loss(outputs, targets, label_set_of(WIDE), LossWeights.of(WIDE)).total.backward()
    (first,), (second, *_), *_ = layers_of_widths(network, WIDE)
    filters = (first.weight * first.weight.grad).abs().sum((1, 2, 3))
    inputs = (second.weight * second.weight.grad).abs().sum((0, 2, 3))
    expected = filters + inputs
    assert torch.allclose(scores.widths[0][0], expected / expected.mean(), rtol=1e-3)


VGG = dataclasses.replace(CONFIG, network="vgg16-bn", pruned_widths=(8, 8, 16, 16, 24, 32, 40))
RESNET = dataclasses.replace(CONFIG, network="resnet50", pruned_widths=(16, 8, 16, 16, 24, 16, 24, 32, 40))


@pytest.mark.parametrize("importance", ["magnitude", "taylor", "lamp"])
@pytest.mark.parametrize(
    ("config", "widths"),
    [
        (VGG, (8, 8, 8, 8, 16, 24, 16)),
        (dataclasses.replace(VGG, network="vgg16"), (8, 8, 8, 8, 16, 24, 16)),
        (RESNET, (8, 8, 8, 8, 16, 8, 16, 24, 32)),
        # Nothing is cut; the stem is as wide as the first stage.
        (RESNET, (16, 8, 16, 16, 24, 16, 24, 32, 40)),
    ],
)
def test_other_networks_are_cut_and_load_by_their_widths(
    importance: Importance, config: TrialConfig, widths: tuple[int, ...], dataset: Dataset, tmp_path: Path
) -> None:
    network = lively(config)
    scores = score_channels(network, config, label_set_of(config), importance, dataset.splits["train"])
    assert [len(ranked) for ranked in scores.descending()] == list(widths_of(config))
    pruned = cut(network, config, 101, widths, scores)
    pruned_config = with_widths(config, widths)
    save_network(pruned, pruned_config, tmp_path / "small.safetensors")
    loaded, config_loaded, _ = load_network(tmp_path / "small.safetensors")
    images = torch.randn(2, 3, 32, 32)
    assert config_loaded == pruned_config
    assert torch.equal(loaded(images), pruned(images))
    assert cost(pruned_config, 101, "params") == count_parameters(pruned)
    if widths == widths_of(config):
        assert torch.allclose(pruned(images), network(images), atol=1e-5)


@pytest.mark.parametrize("config", [VGG, RESNET])
def test_dead_channels_of_other_networks_are_cut_and_the_outputs_stay(
    config: TrialConfig, dataset: Dataset
) -> None:
    """Eight channels of each width output zero, in every layer that is added to them."""
    network, keep = lively(config), tuple(width - 8 if width > 8 else width for width in widths_of(config))
    dead = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for layers, width, left in zip(
            layers_of_widths(network, config), widths_of(config), keep, strict=True
        ):
            for layer in layers:
                gone = torch.randperm(width, generator=dead)[left:]
                for tensor in output_tensors(network, config, layer):
                    tensor[gone] = 0
    train = dataset.splits["train"]
    scores = score_channels(network, config, label_set_of(config), "taylor", train)
    pruned = cut(network, config, 101, keep, scores)
    images = normalised(
        train.images[train.rows]
    )  # a channel that these never activate has no gradient either
    assert torch.allclose(pruned(images), network(images), atol=1e-4)


def output_tensors(
    network: torch.nn.Module, config: TrialConfig, layer: torch.nn.Module
) -> list[torch.Tensor]:
    """Return the tensors that make the outputs of a layer's channels, and of all channels added to them."""
    if isinstance(layer, torch.nn.Linear):
        return [layer.weight, layer.bias]
    rows = []
    if config.network == "resnet50" and layer in [
        group[0] for group in layers_of_widths(network, config)[5:]
    ]:
        stage = [group[0] for group in layers_of_widths(network, config)[5:]].index(layer)
        blocks = list(network.blocks)[sum((3, 4, 6)[:stage]) :][: (3, 4, 6, 3)[stage]]  # type: ignore[arg-type]
        rows = [block.residual[-2:] for block in blocks] + [blocks[0].shortcut]
    else:
        modules = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.BatchNorm2d)]
        rows = [modules[(index := modules.index(layer)) : index + 2]]  # type: ignore[arg-type]
    found = []
    for convolution, normalisation in rows:
        found += [convolution.weight, normalisation.weight, normalisation.bias, normalisation.running_mean]
        found += [] if convolution.bias is None else [convolution.bias]
    return found


def test_wrong_widths_and_criteria_are_refused_in_one_sentence() -> None:
    for network, count in (("vgg16", 7), ("resnet50", 9)):
        with pytest.raises(RequestError, match=f"this network needs {count} whole numbers"):
            build_network(dataclasses.replace(CONFIG, network=network, pruned_widths=(8, 8)), 101)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="which bn-scale cannot score"):
        check_importance("bn-scale", VGG)
    check_importance("bn-scale", RESNET)
