import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from suite.errors import RequestError
from suite.networks import PRESETS, VGG16, CompactNet, build_network
from suite.trial import TrialConfig


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def parameters_by_hand(widths: list[int], depths: list[int], bins: int) -> int:
    """Bias-free 3x3 convolutions, two numbers a channel of batch norm, one linear layer with bias."""
    total, entering = 0, 3
    for width, depth in zip(widths, depths, strict=True):
        for _ in range(depth):
            total += 9 * entering * width + 2 * width
            entering = width
    return total + entering * bins + bins


@pytest.mark.parametrize(("preset", "published"), [("thin", 3_708_229), ("tiny", 934_869)])
def test_presets_have_the_published_parameters(preset: str, published: int) -> None:
    architecture = PRESETS[preset]
    assert parameters(CompactNet(architecture.widths, architecture.depths)) == published


def test_vgg16_has_its_parameters_and_keeps_them_at_every_resolution() -> None:
    with torch.device("meta"):
        network = VGG16()
    assert parameters(network) == 134_674_341
    assert network.pool.output_size == 7


def test_vgg16_is_36_times_thin_and_144_times_tiny() -> None:
    assert pytest.approx(36.32, abs=0.005) == 134_674_341 / 3_708_229
    assert round(134_674_341 / 934_869) == 144


@settings(max_examples=25, deadline=None)
@given(
    widths=st.lists(st.integers(1, 12), min_size=5, max_size=5),
    depths=st.lists(st.integers(1, 3), min_size=5, max_size=5),
    pooling=st.sampled_from(["hybrid", "average"]),
    bins=st.integers(2, 120),
    resolution=st.integers(32, 50),
)
def test_any_widths_and_depths_make_a_network(widths, depths, pooling, bins, resolution) -> None:
    network = CompactNet(widths, depths, pooling, bins).eval()
    assert network(torch.zeros(2, 3, resolution, resolution)).shape == (2, bins)
    assert parameters(network) == parameters_by_hand(widths, depths, bins)


def test_hybrid_pooling_averages_7x7_at_224_and_average_pooling_14x14() -> None:
    images = torch.zeros(1, 3, 224, 224)
    sizes = {p: CompactNet([1] * 5, [1] * 5, p).features(images).shape[-1] for p in ("hybrid", "average")}
    assert sizes == {"hybrid": 7, "average": 14}


def test_convolutions_start_with_the_released_variance() -> None:
    torch.manual_seed(0)
    convolutions = [m for m in CompactNet(PRESETS["tiny"].widths).modules() if isinstance(m, nn.Conv2d)]
    last = convolutions[-1]
    assert last.weight.std().item() == pytest.approx(math.sqrt(2 / (9 * 128)), rel=0.02)
    assert all(convolution.bias is None for convolution in convolutions)


@pytest.mark.parametrize("widths", [(16, 32, 64, 128), (16, 0, 64, 128, 128)])
def test_wrong_widths_are_refused_in_one_sentence(widths: tuple[int, ...]) -> None:
    with pytest.raises(RequestError, match="each at least 1"):
        CompactNet(widths)


def test_a_resolution_that_is_pooled_away_is_refused() -> None:
    with pytest.raises(RequestError, match="32 or more"):
        build_network(TrialConfig(resolution=31), 101)
