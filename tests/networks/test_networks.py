import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from suite.errors import RequestError
from suite.methods import METHODS
from suite.networks import PRESETS, VGG16, CompactNet, ResNet50, build_network
from suite.trial import NETWORKS, TrialConfig, config_of_network


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def parameters_by_hand(widths: list[int], depths: list[int], bins: int) -> int:
    """Bias-free 3x3 convolutions, two numbers per channel of batch norm, one linear layer with bias."""
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


def test_thin_128_is_thin_with_no_stage_over_128_channels() -> None:
    assert PRESETS["thin-128"].widths == tuple(min(width, 128) for width in PRESETS["thin"].widths)
    network = CompactNet(PRESETS["thin-128"].widths)
    assert parameters(network) == parameters_by_hand([32, 64, 128, 128, 128], [2, 2, 3, 3, 3], 101)


def test_vgg16_has_its_parameters_and_keeps_them_at_every_resolution() -> None:
    with torch.device("meta"):
        network = VGG16()
    assert parameters(network) == 134_674_341
    assert network.pool.output_size == 7


def test_batch_norm_adds_two_numbers_a_channel_to_vgg16() -> None:
    """138,365,992 is the usual count at 1000 outputs; the 13 convolutions have 4224 channels together."""
    with torch.device("meta"):
        assert parameters(VGG16(1000, batch_norm=True)) == 138_365_992
        assert parameters(VGG16(batch_norm=True)) == 134_674_341 + 2 * 4224


def test_resnet50_has_its_published_parameters() -> None:
    with torch.device("meta"):
        assert parameters(ResNet50(1000)) == 25_557_032
        assert parameters(ResNet50(41)) == 25_557_032 - 2049 * (1000 - 41)


def test_resnet50_halves_five_times_and_has_the_stride_in_its_3x3_convolutions() -> None:
    network = ResNet50(10).eval()
    assert network.blocks(network.stem(torch.zeros(1, 3, 64, 64))).shape == (1, 2048, 2, 2)
    strided = [
        m.kernel_size for m in network.blocks.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)
    ]
    assert sorted(strided) == [(1, 1)] * 3 + [(3, 3)] * 3  # the 1x1 ones are shortcuts


def test_a_bottleneck_whose_residual_is_silent_carries_its_input() -> None:
    block = ResNet50(10).eval().blocks[1]
    for normalisation in [m for m in block.residual if isinstance(m, nn.BatchNorm2d)][-1:]:
        nn.init.zeros_(normalisation.weight)
    features = torch.rand(2, 256, 8, 8)
    assert torch.equal(block(features), features)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "vgg16"])
def test_every_network_takes_every_output_layer(name: str, method: str) -> None:
    config = dataclasses.replace(config_of_network(name), method=method)
    with torch.device("meta"):
        network = build_network(config, 41)
        outputs = network(torch.zeros(2, 3, 32, 32))
        assert outputs.shape == METHODS[method].head(8, 41)(torch.zeros(2, 8)).shape


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
