"""Channels are cut whole, the best stay, and what is left is a compact network by its widths alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.compression.budget import Budget, cost, parse_budget
from suite.compression.pruning import IMPORTANCES, Importance, check_compact, cut, score_channels, stages_of
from suite.compression.widths import kept_widths, ranked_widths, uniform_widths
from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.inputs import normalised
from suite.methods import METHODS, LossWeights, Truth
from suite.networks import CompactNet, build_network
from suite.presets import PRESETS
from suite.profiling import count_macs, count_parameters, safetensors_bytes
from suite.trial import MethodName, TrialConfig
from suite.weights import load_network, save_network
from tests.compression.conftest import CONFIG, labels_of, lively

THIN = TrialConfig(widths=PRESETS["thin"].widths, depths=PRESETS["thin"].depths, resolution=32)
WIDE = dataclasses.replace(CONFIG, widths=(8, 16, 16, 24, 24), depths=(1, 2, 1, 1, 2))


def test_thin_pruned_by_one_half_is_tiny() -> None:
    widths = kept_widths(THIN.widths, [0.5] * 5)
    assert widths == PRESETS["tiny"].widths
    network = build_network(THIN, 101)
    scores = score_channels(network, THIN, labels_of(THIN), "magnitude", None)  # type: ignore[arg-type]
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
    scores = score_channels(network, config, labels_of(config), importance, dataset.splits["train"])
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
        scores = score_channels(network, WIDE, labels_of(WIDE), importance, train)
        smaller = cut(network, WIDE, 101, (8, 8, 8, 8, 8), scores)
        assert torch.allclose(smaller(images), network(images), atol=1e-4), importance


def test_taylor_scores_are_weights_times_gradients_of_the_trials_own_loss(dataset: Dataset) -> None:
    """The first layer's score, worked out by hand: its filters, and the next layer's inputs from them."""
    network = lively(WIDE)
    assert isinstance(network, CompactNet)
    train = dataset.splits["train"]
    scores = score_channels(network, WIDE, labels_of(WIDE), "taylor", train)
    truth = Truth(train.labels, train.deviations)
    outputs = network(normalised(train.images[train.rows]))
    METHODS[WIDE.method].loss(outputs, truth, labels_of(WIDE), LossWeights.of(WIDE)).total.backward()
    first, second = stages_of(network, WIDE.depths)[0][0], stages_of(network, WIDE.depths)[1][0]
    filters = (first.weight * first.weight.grad).abs().sum((1, 2, 3))
    inputs = (second.weight * second.weight.grad).abs().sum((0, 2, 3))
    expected = filters + inputs
    assert torch.allclose(scores.stages[0][0], expected / expected.mean(), rtol=1e-3)


def test_another_network_than_a_compact_one_is_refused() -> None:
    with pytest.raises(RequestError, match="is resnet50, whose widths are no part"):
        check_compact(dataclasses.replace(CONFIG, network="resnet50"))


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
