"""Losses against another network's outputs."""

import pytest
import torch

from suite.methods import METHODS, LossWeights
from suite.methods.imitation import IMITATIONS, imitation_loss
from suite.methods.labels import LabelSet
from suite.trial import MethodName

LABELS = LabelSet(0, 20, 1)
WEIGHTS = LossWeights()


def outputs_of(method: MethodName, seed: int) -> torch.Tensor:
    width = METHODS[method].head(8, LABELS.bins)(torch.zeros(1, 8)).shape[1]
    return torch.randn(5, width, generator=torch.Generator().manual_seed(seed))


def test_every_method_has_a_loss() -> None:
    assert set(IMITATIONS) == set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_the_loss_is_least_where_both_networks_agree(method: MethodName) -> None:
    ours, others = outputs_of(method, 0), outputs_of(method, 1)
    apart = imitation_loss(method, ours, others, LABELS, WEIGHTS)
    same = imitation_loss(method, others, others, LABELS, WEIGHTS)
    assert float(same) < float(apart)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_reach_the_network_that_learns_and_not_the_other(method: MethodName) -> None:
    ours, others = outputs_of(method, 0).requires_grad_(), outputs_of(method, 1).requires_grad_()
    imitation_loss(method, ours, others, LABELS, WEIGHTS).backward()  # type: ignore[no-untyped-call]
    assert ours.grad is not None
    assert bool(ours.grad.isfinite().all())
    assert float(ours.grad.abs().sum()) > 0
    assert others.grad is None
