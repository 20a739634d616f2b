import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import nn

from suite.measure.profiling import (
    UncountedOperatorError,
    count_macs,
    profile_trial,
    safetensors_bytes,
    without_weights,
)
from suite.methods import METHODS
from suite.networks import PRESETS, VGG16, CompactNet, ResNet50
from suite.networks.weight_init import WithoutInitialisation
from suite.networks.weights import save_network
from suite.trial import TrialConfig


@pytest.mark.parametrize(("preset", "giga"), [("thin", 3.87), ("tiny", 0.982)])
def test_presets_have_the_published_multiply_adds(preset: str, giga: float) -> None:
    macs = count_macs(CompactNet(PRESETS[preset].widths), 224)
    assert macs / 1e9 == pytest.approx(giga, rel=0.001)


def test_vgg16_has_its_multiply_adds() -> None:
    assert count_macs(VGG16(), 224) / 1e9 == pytest.approx(15.47, rel=0.001)


def test_resnet50_has_its_multiply_adds_and_nothing_is_left_uncounted() -> None:
    """4.089 G by the usual count of convolutions and the linear layer; the rest is batch norm and pooling."""
    usual = 4_089_184_256
    normalised = 2 * 11_113_984  # two an element of what the 53 batch normalisations give
    assert count_macs(ResNet50(1000), 224) == usual + normalised + 2048 * 7 * 7


@pytest.mark.parametrize("method", METHODS)
def test_every_method_can_be_profiled_before_it_trains(method: str) -> None:
    config = TrialConfig(method=method, widths=(4,) * 5, depths=(1,) * 5, resolution=32)
    profile = profile_trial(config, 101)
    outputs = {"mr-l1": 1, "mr-l2": 1, "coral": 1, "ranking-bce": 100, "ranking-mse": 100}.get(method, 101)
    plain = profile_trial(dataclasses.replace(config, method="dldl"), 101)
    assert profile.macs == plain.macs - 4 * (101 - outputs)


def test_multiply_adds_of_a_small_network_are_those_counted_by_hand() -> None:
    network = CompactNet([4] * 5, [1] * 5, bins=10)
    side, entering, by_hand = 32, 3, 0
    for _ in range(5):
        by_hand += side * side * 4 * entering * 9  # convolution
        by_hand += 2 * side * side * 4  # batch normalisation: two an element
        side, entering = side // 2, 4
    by_hand += 4 * side * side + 4 * 10  # average pooling reads, linear layer
    assert count_macs(network, 32) == by_hand


def test_an_uncounted_operator_is_an_error_and_is_named() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 2, 1)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.cumsum(self.convolution(images), 0)

    with pytest.raises(UncountedOperatorError, match="aten::cumsum"):
        count_macs(Odd(), 32)


@pytest.mark.parametrize("widths", [(16, 32, 64, 128, 128), (3, 5, 7, 11, 13)])
def test_bytes_are_those_of_the_file(widths: tuple[int, ...], tmp_path: Path) -> None:
    config = TrialConfig(widths=widths, depths=(1, 2, 1, 1, 1), resolution=32)
    network = CompactNet(widths, config.depths)
    assert safetensors_bytes(network) == len(save(network.state_dict()))
    save_network(network, config, tmp_path / "a.safetensors")
    assert profile_trial(config, 101).bytes == (tmp_path / "a.safetensors").stat().st_size


def test_counting_draws_no_weights_and_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    without_weights(TrialConfig(network="vgg16"), bins=101)
    assert torch.equal(torch.random.get_rng_state(), before)
    with WithoutInitialisation():
        unchanged = torch.zeros(2).add_(1.0)
    assert unchanged.tolist() == [0.0, 0.0]
