import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.labels import LabelSet, expectation, target_distribution
from suite.methods import estimate, joint_loss

LABELS = LabelSet(0, 20, 1)


def batch(seed: int, count: int = 3):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, LABELS.bins, generator=generator)
    labels = torch.rand(count, generator=generator) * 20
    return logits, labels, target_distribution(labels, torch.full((count,), 1.5), LABELS)


@settings(deadline=None)
@given(seed=st.integers(0, 2**20), weight=st.floats(0, 5))
def test_the_gradient_is_the_closed_form_of_the_paper(seed: int, weight: float) -> None:
    """KL summed over bins: p_hat - p + lambda * sign(y_hat - y) * p_hat * (l - y_hat)."""
    logits, labels, target = batch(seed, count=1)
    logits.requires_grad_()
    joint_loss(logits, target, labels, LABELS, lambda_l1=weight, kl_over_bins="sum").total.backward()
    p_hat = torch.softmax(logits.detach(), 1)
    y_hat = expectation(p_hat, LABELS)
    pull = torch.sign(y_hat - labels)[:, None] * p_hat * (LABELS.values - y_hat[:, None])
    assert torch.allclose(logits.grad, p_hat - target + weight * pull, atol=1e-5)


@given(seed=st.integers(0, 2**20), weight=st.floats(0.01, 2))
def test_lambda_under_mean_weighs_as_bins_times_lambda_under_sum(seed: int, weight: float) -> None:
    logits, labels, target = batch(seed)
    mean = joint_loss(logits, target, labels, LABELS, lambda_l1=weight, kl_over_bins="mean")
    total = joint_loss(logits, target, labels, LABELS, lambda_l1=weight * LABELS.bins, kl_over_bins="sum")
    assert mean.total.item() * LABELS.bins == pytest.approx(total.total.item(), rel=1e-4)
    assert mean.kl.item() == total.kl.item()  # reported on one scale


def test_kl_agrees_with_torch() -> None:
    logits, labels, target = batch(7)
    parts = joint_loss(logits, target, labels, LABELS, lambda_l1=0.0, kl_over_bins="sum")
    oracle = torch.nn.functional.kl_div(torch.log_softmax(logits, 1), target, reduction="batchmean")
    assert parts.total.item() == pytest.approx(oracle.item(), rel=1e-5)


def test_the_loss_of_a_perfect_prediction_is_zero() -> None:
    labels = torch.tensor([10.0])
    target = target_distribution(labels, torch.tensor([2.0]), LABELS)
    parts = joint_loss(target.log(), target, labels, LABELS, lambda_l1=1.0, kl_over_bins="sum")
    assert parts.total.item() == pytest.approx(0, abs=1e-5)


def test_targets_with_empty_bins_give_a_finite_loss_and_gradient() -> None:
    logits = torch.zeros(1, LABELS.bins, requires_grad=True)
    labels = torch.tensor([3.0])
    target = target_distribution(labels, torch.zeros(1), LABELS)
    joint_loss(logits, target, labels, LABELS, lambda_l1=1.0, kl_over_bins="mean").total.backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_the_estimate_of_bf16_logits_is_computed_in_float32() -> None:
    logits, _, _ = batch(1)
    assert estimate(logits.bfloat16(), LABELS).dtype == torch.float32
