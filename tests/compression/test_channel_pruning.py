"""Channels are cut whole, the best stay, and what is left is a compact network by its widths alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.compression.budget import Budget, cost, parse_budget
from suite.compression.channel_pruning import IMPORTANCES, check_importance, cut, score_channels
from suite.compression.widths import kept_widths, ranked_widths, uniform_widths
from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.measure.profiling import count_macs, count_parameters, safetensors_bytes
from suite.methods import METHODS, LossWeights, Truth
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
    smaller = cut(network, THIN, 101, widths, scores)
    assert count_parameters(smaller) == 934_869
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
    smaller = cut(network, config, 101, (8, 8, 8, 16, 8), scores)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    told = dataclasses.replace(config, widths=(8, 8, 8, 16, 8))
    save_network(smaller, told, tmp_path / "small.safetensors")
    loaded, config_loaded, _ = load_network(tmp_path / "small.safetensors")
    images = torch.randn(2, 3, 32, 32)
    assert config_loaded == told
    assert torch.equal(loaded(images), smaller(images))


def test_channels_that_do_nothing_go_first_and_the_answer_stays(dataset: Dataset) -> None:
    """Half of each stage is dead: filters, scales and shifts of zero. Cutting it changes nothing."""
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
    images = normalised(train.images[train.rows])  # what never answers these has no gradient either
    for importance in ("magnitude", "bn-scale", "taylor"):
        scores = score_channels(network, WIDE, label_set_of(WIDE), importance, train)
        smaller = cut(network, WIDE, 101, (8, 8, 8, 8, 8), scores)
        assert torch.allclose(smaller(images), network(images), atol=1e-4), importance


def test_taylor_scores_are_weights_times_gradients_of_the_trials_own_loss(dataset: Dataset) -> None:
    """The first layer's score, worked out by hand: its filters, and the next layer's inputs from them."""
    network = lively(WIDE)
    assert isinstance(network, CompactNet)
    train = dataset.splits["train"]
    scores = score_channels(network, WIDE, label_set_of(WIDE), "taylor", train)
    truth = Truth(train.labels, train.deviations)
    outputs = network(normalised(train.images[train.rows]))
    METHODS[WIDE.method].loss(outputs, truth, label_set_of(WIDE), LossWeights.of(WIDE)).total.backward()
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
        (
            RESNET,
            (16, 8, 16, 16, 24, 16, 24, 32, 40),
        ),  # nothing is cut; the stem is as wide as the first stage
    ],
)
def test_other_networks_are_cut_and_load_by_their_widths(
    importance: Importance, config: TrialConfig, widths: tuple[int, ...], dataset: Dataset, tmp_path: Path
) -> None:
    network = lively(config)
    scores = score_channels(network, config, label_set_of(config), importance, dataset.splits["train"])
    assert [len(falling) for falling in scores.falling()] == list(widths_of(config))
    smaller = cut(network, config, 101, widths, scores)
    told = with_widths(config, widths)
    save_network(smaller, told, tmp_path / "small.safetensors")
    loaded, config_loaded, _ = load_network(tmp_path / "small.safetensors")
    images = torch.randn(2, 3, 32, 32)
    assert config_loaded == told
    assert torch.equal(loaded(images), smaller(images))
    assert cost(told, 101, "params") == count_parameters(smaller)
    if widths == widths_of(config):
        assert torch.allclose(smaller(images), network(images), atol=1e-5)


@pytest.mark.parametrize("config", [VGG, RESNET])
def test_dead_channels_of_other_networks_go_and_the_answer_stays(
    config: TrialConfig, dataset: Dataset
) -> None:
    """What a layer of each width says is silenced for 8 channels, in every layer that is added to it."""
    network, keep = lively(config), tuple(width - 8 if width > 8 else width for width in widths_of(config))
    dead = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for layers, width, left in zip(
            layers_of_widths(network, config), widths_of(config), keep, strict=True
        ):
            for layer in layers:
                gone = torch.randperm(width, generator=dead)[left:]
                for tensor in silenced_by(network, config, layer):
                    tensor[gone] = 0
    train = dataset.splits["train"]
    scores = score_channels(network, config, label_set_of(config), "taylor", train)
    smaller = cut(network, config, 101, keep, scores)
    images = normalised(train.images[train.rows])  # what never answers these has no gradient either
    assert torch.allclose(smaller(images), network(images), atol=1e-4)


def silenced_by(network: torch.nn.Module, config: TrialConfig, layer: torch.nn.Module) -> list[torch.Tensor]:
    """The tensors by which a layer's channels, and all that are added to them, answer."""
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
        rows = [modules[(place := modules.index(layer)) : place + 2]]  # type: ignore[arg-type]
    found = []
    for convolution, normalisation in rows:
        found += [convolution.weight, normalisation.weight, normalisation.bias, normalisation.running_mean]
        found += [] if convolution.bias is None else [convolution.bias]
    return found


def test_widths_that_are_not_the_networks_are_one_sentence() -> None:
    for network, count in (("vgg16", 7), ("resnet50", 9)):
        with pytest.raises(RequestError, match=f"this network needs {count} whole numbers"):
            build_network(dataclasses.replace(CONFIG, network=network, pruned_widths=(8, 8)), 101)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="of which bn-scale says nothing"):
        check_importance("bn-scale", VGG)
    check_importance("bn-scale", RESNET)


@pytest.mark.parametrize(
    ("text", "most"), [("934869", 934_869), ("0.9M", 900_000), ("250k", 250_000), ("1G", 10**9)]
)
def test_a_budget_is_a_number_with_a_letter(text: str, most: int) -> None:
    assert parse_budget(text, "params") == Budget("params", most)


@pytest.mark.parametrize("text", ["", "small", "-1", "0", "1T"])
def test_another_budget_is_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match="is no count of params"):
        parse_budget(text, "params")


def test_a_cost_is_that_of_the_network() -> None:
    network = build_network(WIDE, 101)
    assert cost(WIDE, 101, "params") == count_parameters(network)
    assert cost(WIDE, 101, "macs") == count_macs(network, 32)
    assert cost(WIDE, 101, "bytes") == safetensors_bytes(network)


def test_the_largest_uniform_network_within_thins_half_is_tiny() -> None:
    def cost_of(widths: tuple[int, ...]) -> int:
        return cost(dataclasses.replace(THIN, widths=widths), 101, "params")

    assert uniform_widths(THIN.widths, cost_of, 934_869) == PRESETS["tiny"].widths
    below = uniform_widths(THIN.widths, cost_of, 934_868)
    assert cost_of(below) < 934_869
    with pytest.raises(RequestError, match=r"the smallest network that pruning can leave, of widths \(8, 8"):
        uniform_widths(THIN.widths, cost_of, 1000)


def test_ranking_takes_channels_where_they_matter_least() -> None:
    scores = [np.full(16, 5.0), np.linspace(1, 0.1, 32), np.full(20, 3.0)]
    assert ranked_widths(scores, sum, 68) == (16, 32, 20)
    assert ranked_widths(scores, sum, 60) == (16, 24, 20)
    assert ranked_widths(scores, sum, 43) == (16, 8, 16)
    assert ranked_widths(scores, sum, 24) == (8, 8, 8)
    with pytest.raises(RequestError):
        ranked_widths(scores, sum, 23)


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=5),
    st.integers(0, 1000),
    st.integers(0, 2**31),
)
def test_ranked_widths_fit_and_one_more_block_would_not(sizes: list[int], share: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = [np.sort(rng.random(size))[::-1] for size in sizes]
    least, most = sum(min(size, 8) for size in sizes), sum(sizes)
    allowed = least + (most - least) * share // 1000
    widths = ranked_widths(scores, sum, allowed)
    assert sum(widths) <= allowed
    assert all(width == size or width % 8 == 0 for width, size in zip(widths, sizes, strict=True))
    if sum(widths) < most:
        assert allowed - sum(widths) < 8
