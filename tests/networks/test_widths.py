"""The table of what can be chosen in each network."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import nn

from suite.errors import RequestError
from suite.networks import build_network, layers_of_widths, stages_of_widths, widths_of, with_widths
from suite.networks.build import assemble_network
from suite.networks.widths import PRUNABLE_NETWORKS
from suite.trial import Network, TrialConfig


@pytest.mark.parametrize("network", PRUNABLE_NETWORKS)
def test_every_prunable_network_has_a_stage_and_layers_for_each_width(network: Network) -> None:
    config = TrialConfig(network=network)
    with torch.device("meta"):
        built = build_network(config, 101)
    widths, layers = widths_of(config), layers_of_widths(built, config)
    assert len(stages_of_widths(config)) == len(widths) == len(layers)
    for width, group in zip(widths, layers, strict=True):
        assert {layer.weight.shape[0] for layer in group} == {width}


@pytest.mark.parametrize("network", PRUNABLE_NETWORKS)
def test_chosen_widths_are_the_widths_of_the_network(network: Network) -> None:
    config = TrialConfig(network=network)
    halved = tuple(width // 2 for width in widths_of(config))
    assert widths_of(with_widths(config, halved)) == halved


def test_a_network_without_a_description_is_refused_in_one_sentence() -> None:
    word: Any = "mobilenet"
    config = dataclasses.replace(TrialConfig(), network=word)
    refusal = r"network is 'mobilenet', which has no widths to choose and so cannot be pruned; choose one of compact"
    with pytest.raises(RequestError, match=refusal):
        widths_of(config)
    with pytest.raises(RequestError, match=refusal):
        with_widths(config, (8,))
    with pytest.raises(RequestError, match=refusal):
        stages_of_widths(config)
    with pytest.raises(RequestError, match=refusal):
        layers_of_widths(nn.Identity(), config)
    with pytest.raises(RequestError, match="choose one of compact, vgg16, vgg16-bn, resnet50"):
        assemble_network(config, nn.Linear, 101)
