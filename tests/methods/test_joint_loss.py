"""The paper's joint loss: its closed gradient, and the two scales of its KL."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.methods import METHODS, LossWeights, Targets
from suite.methods.label_distributions import dldl_loss, dldl_v2_loss
from suite.methods.labels import LabelSet, expectation, target_distribution

LABELS = LabelSet(0, 20, 1)
SUM = LossWeights(kl_over_bins="sum")


def batch(seed: int, count: int = 3) -> tuple[torch.Tensor, Targets]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, LABELS.bins, generator=generator)
    return logits, Targets(torch.rand(count, generator=generator) * 20, torch.full((count,), 1.5))


@settings(deadline=None)
@given(seed=st.integers(0, 2**20), weight=st.floats(0, 5))
def test_the_gradient_is_the_closed_form_of_the_paper(seed: int, weight: float) -> None:
    """KL summed over bins: p_hat - p + lambda * sign(y_hat - y) * p_hat * (l - y_hat), over the batch."""
    logits, targets = batch(seed)
    logits.requires_grad_()
    dldl_v2_loss(logits, targets, LABELS, dataclasses.replace(SUM, lambda_l1=weight)).total.backward()
    p_hat = torch.softmax(logits.detach(), 1)
    y_hat = expectation(p_hat, LABELS)
    p = target_distribution(targets.labels, targets.deviations, LABELS)
    pull = torch.sign(y_hat - targets.labels)[:, None] * p_hat * (LABELS.values - y_hat[:, None])
    assert torch.allclose(logits.grad, (p_hat - p + weight * pull) / 3, atol=1e-5)


@settings(deadline=None)
@given(seed=st.integers(0, 2**20), weight=st.floats(0.01, 2))
def test_lambda_under_mean_weighs_as_bins_times_lambda_under_sum(seed: int, weight: float) -> None:
    logits, targets = batch(seed)
    mean = dldl_v2_loss(logits, targets, LABELS, LossWeights(weight, "mean"))
    total = dldl_v2_loss(logits, targets, LABELS, LossWeights(weight * LABELS.bins, "sum"))
    assert mean.total.item() * LABELS.bins == pytest.approx(total.total.item(), rel=1e-4)
    assert mean.kl.item() == total.kl.item()  # reported on one scale


def test_without_lambda_the_joint_loss_is_dldl() -> None:
    logits, targets = batch(2)
    without = dataclasses.replace(SUM, lambda_l1=0.0)
    assert (
        dldl_v2_loss(logits, targets, LABELS, without).total == dldl_loss(logits, targets, LABELS, SUM).total
    )


def test_kl_agrees_with_torch() -> None:
    logits, targets = batch(7)
    target = target_distribution(targets.labels, targets.deviations, LABELS)
    oracle = torch.nn.functional.kl_div(torch.log_softmax(logits, 1), target, reduction="batchmean")
    assert dldl_loss(logits, targets, LABELS, SUM).kl.item() == pytest.approx(oracle.item(), rel=1e-5)


def test_the_loss_of_a_perfect_prediction_is_zero() -> None:
    targets = Targets(torch.tensor([10.0]), torch.tensor([2.0]))
    logits = target_distribution(targets.labels, targets.deviations, LABELS).log()
    assert METHODS["dldl-v2"].loss(logits, targets, LABELS, SUM).total.item() == pytest.approx(0, abs=1e-5)
