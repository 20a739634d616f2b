"""An elastic network's slices are compact networks that answer as it does."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import RequestError
from suite.methods import METHODS
from suite.networks.compact import CompactNet
from suite.networks.elastic import ElasticNet, ElasticSpace
from suite.presets import Architecture
from suite.trial import MethodName, Pooling

LARGEST = Architecture((8, 8, 12, 16, 16), (2, 2, 3, 3, 3))


def elastic_of(method: MethodName = "dldl-v2", pooling: Pooling = "hybrid", bins: int = 21) -> ElasticNet:
    torch.manual_seed(0)
    network = ElasticNet(LARGEST.widths, LARGEST.depths, pooling, bins, METHODS[method].head)
    for parameter in network.parameters():  # batch norms and biases, too, away from where they begin
        torch.nn.init.normal_(parameter, 0.1, 0.3)
    return network


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pooling", ["hybrid", "average"])
def test_a_slice_answers_as_the_elastic_network_does(method: MethodName, pooling: Pooling) -> None:
    elastic = elastic_of(method, pooling)
    architecture = Architecture((4, 8, 12, 8, 4), (1, 2, 1, 3, 2))
    images = torch.randn(6, 3, 32, 32)
    sliced = elastic.slice(architecture).train()
    with torch.no_grad():
        torch.testing.assert_close(sliced(images), elastic(images, architecture), atol=1e-5, rtol=1e-5)


@given(
    widths=st.tuples(*(st.integers(1, most) for most in LARGEST.widths)),
    depths=st.tuples(*(st.integers(1, most) for most in LARGEST.depths)),
)
def test_every_slice_answers_as_the_elastic_network_does(
    widths: tuple[int, ...], depths: tuple[int, ...]
) -> None:
    elastic = elastic_of()
    architecture = Architecture(widths, depths)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    sliced = elastic.slice(architecture).train()
    assert isinstance(sliced, CompactNet)
    with torch.no_grad():
        torch.testing.assert_close(sliced(images), elastic(images, architecture), atol=1e-4, rtol=1e-4)


def test_the_largest_slice_is_the_whole_network() -> None:
    elastic = elastic_of()
    sliced = elastic.slice(LARGEST)
    for ours, its in zip(elastic.largest.parameters(), sliced.parameters(), strict=True):
        torch.testing.assert_close(ours, its, atol=0, rtol=0)


def test_a_slice_has_weights_of_its_own_and_draws_no_random_numbers() -> None:
    elastic = elastic_of()
    state = torch.random.get_rng_state()
    sliced = elastic.slice(LARGEST)
    assert torch.equal(torch.random.get_rng_state(), state)
    before = elastic.largest.features[0].weight.clone()
    with torch.no_grad():
        sliced.features[0].weight.zero_()
    assert torch.equal(elastic.largest.features[0].weight, before)


def test_gradients_of_a_slice_reach_its_channels_alone() -> None:
    elastic = elastic_of()
    elastic(torch.randn(4, 3, 32, 32), Architecture((4, 8, 12, 16, 16), (1, 2, 3, 3, 3))).sum().backward()
    gradient = elastic.largest.features[0].weight.grad
    assert gradient is not None
    assert gradient[:4].abs().sum() > 0
    assert gradient[4:].abs().sum() == 0


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture((16, 8, 12, 16, 16), LARGEST.depths),
        Architecture(LARGEST.widths, (2, 2, 4, 3, 3)),
        Architecture((0, 8, 12, 16, 16), LARGEST.depths),
        Architecture(LARGEST.widths, (0, 2, 3, 3, 3)),
    ],
)
def test_what_is_not_a_slice_is_refused(architecture: Architecture) -> None:
    with pytest.raises(RequestError, match="are not a slice of an elastic network"):
        elastic_of().slice(architecture)
    with pytest.raises(RequestError, match="are not a slice of an elastic network"):
        elastic_of()(torch.randn(2, 3, 32, 32), architecture)


def test_draws_stay_within_the_space_and_repeat_with_the_seed() -> None:
    space = ElasticSpace(((4, 8), (8,), (4, 8, 12), (8, 16), (16,)), ((1, 2), (2,), (1, 3), (3,), (1, 2, 3)))
    assert space.largest == Architecture((8, 8, 12, 16, 16), (2, 2, 3, 3, 3))
    assert space.smallest == Architecture((4, 8, 4, 8, 16), (1, 2, 1, 3, 1))
    torch.manual_seed(3)
    drawn = [space.draw() for _ in range(50)]
    torch.manual_seed(3)
    assert drawn == [space.draw() for _ in range(50)]
    assert all(w in c for a in drawn for w, c in zip(a.widths, space.widths, strict=True))
    assert all(d in c for a in drawn for d, c in zip(a.depths, space.depths, strict=True))
    assert len(set(drawn)) > 20


def test_a_space_without_choices_is_refused() -> None:
    with pytest.raises(RequestError, match="for each of 5 stages"):
        ElasticSpace(((4,), (), (4,), (4,), (4,)), ((1,),) * 5)
