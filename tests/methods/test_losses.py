"""Each loss, and its gradient, against the same mathematics written out in float64 numpy."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.methods import METHODS, LossWeights, Targets
from suite.methods.labels import LabelSet
from suite.trial import TrialConfig

SETS = {"years": LabelSet(0, 12, 1), "points": LabelSet(1, 5, 0.5)}
WEIGHTS = LossWeights(lambda_l1=0.7, kl_over_bins="sum", lambda_mean=0.3, lambda_variance=0.1)
DEVIATION = 1.5  # label steps


def softmax(outputs: np.ndarray) -> np.ndarray:
    weights = np.exp(outputs - outputs.max())
    return weights / weights.sum()


def bins(labels: LabelSet) -> np.ndarray:
    return labels.low + labels.step * np.arange(labels.bins)


def index(label: float, labels: LabelSet) -> int:
    return int(np.argmin(np.abs(bins(labels) - label)))


def mapped(outputs: np.ndarray, labels: LabelSet) -> float:
    return labels.low + (labels.high - labels.low) * (np.tanh(outputs[0]) + 1) / 2


def kl(outputs: np.ndarray, label: float, labels: LabelSet) -> float:
    target = np.exp(-((bins(labels) - label) ** 2) / (2 * (DEVIATION * labels.step) ** 2))
    target /= target.sum()
    return float((target * (np.log(target) - np.log(softmax(outputs)))).sum())


def l1(outputs: np.ndarray, label: float, labels: LabelSet) -> float:
    return abs(float(softmax(outputs) @ bins(labels)) - label)


def thresholds(label: float, labels: LabelSet) -> np.ndarray:
    return (np.arange(labels.bins - 1) < index(label, labels)).astype(float)


def rank_entropy(outputs: np.ndarray, label: float, labels: LabelSet) -> float:
    above, targets = 1 / (1 + np.exp(-outputs)), thresholds(label, labels)
    return float(-(targets * np.log(above) + (1 - targets) * np.log(1 - above)).sum())


def mean_variance(outputs: np.ndarray, label: float, labels: LabelSet) -> float:
    chances, classes = softmax(outputs), np.arange(labels.bins)
    mean = chances @ classes
    variance = chances @ (classes - mean) ** 2
    off = mean - (label - labels.low) / labels.step
    return float(-np.log(chances[index(label, labels)]) + 0.3 * off**2 / 2 + 0.1 * variance)


#: The loss of one image, from outputs (n,), label and label set.
ORACLES: dict[str, Callable[[np.ndarray, float, LabelSet], float]] = {
    "mr-l1": lambda o, y, s: abs(mapped(o, s) - y),
    "mr-l2": lambda o, y, s: (mapped(o, s) - y) ** 2,
    "dex": lambda o, y, s: float(-np.log(softmax(o)[index(y, s)])),
    "ranking-bce": rank_entropy,
    "ranking-mse": lambda o, y, s: float(((1 / (1 + np.exp(-o)) - thresholds(y, s)) ** 2).sum()),
    "dldl": kl,
    "er": l1,
    "dldl-v2": lambda o, y, s: kl(o, y, s) + 0.7 * l1(o, y, s),
    "mean-variance": mean_variance,
    "coral": rank_entropy,
}


def batch(method: str, labels: LabelSet, seed: int) -> tuple[torch.Tensor, Targets]:
    """Three images: random outputs as the method's output layer has them, and labels off the kinks."""
    rng = np.random.default_rng(seed)
    columns = METHODS[method].head(4, labels.bins)(torch.zeros(1, 4)).shape[1]
    outputs = torch.tensor(rng.normal(size=(3, columns)), dtype=torch.float32)
    places = rng.integers(0, labels.bins - 1, 3) + rng.choice([0.1, 0.3, 0.8], 3)
    true_labels = torch.tensor(labels.low + labels.step * places, dtype=torch.float32)
    return outputs, Targets(true_labels, torch.full((3,), DEVIATION * labels.step))


def mean_by_hand(method: str, outputs: np.ndarray, targets: Targets, labels: LabelSet) -> float:
    rows = zip(outputs, targets.labels.double().numpy(), strict=True)
    return float(np.mean([ORACLES[method](row, label, labels) for row, label in rows]))


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**20))
def test_a_loss_is_what_it_is_on_paper(method: str, kind: str, seed: int) -> None:
    labels = SETS[kind]
    outputs, targets = batch(method, labels, seed)
    total = METHODS[method].loss(outputs, targets, labels, WEIGHTS).total
    assert total.item() == pytest.approx(
        mean_by_hand(method, outputs.double().numpy(), targets, labels), rel=1e-4, abs=1e-5
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_is_the_slope_of_the_loss(method: str) -> None:
    labels, step = SETS["years"], 1e-5
    outputs, targets = batch(method, labels, seed=5)
    outputs.requires_grad_()
    METHODS[method].loss(outputs, targets, labels, WEIGHTS).total.backward()
    around = outputs.detach().double().numpy()
    slopes = np.zeros_like(around)
    for place in np.ndindex(*around.shape):
        moved = [around.copy(), around.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        up, down = (mean_by_hand(method, m, targets, labels) for m in moved)
        slopes[place] = (up - down) / (2 * step)
    assert outputs.grad is not None
    assert np.abs(slopes).max() > 1e-3
    assert outputs.grad.numpy() == pytest.approx(slopes, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_only_methods_with_a_kl_report_one_and_all_report_the_error_of_their_estimate(method: str) -> None:
    labels = SETS["years"]
    outputs, targets = batch(method, labels, seed=8)
    parts = METHODS[method].loss(outputs, targets, labels, WEIGHTS)
    assert parts.kl.isnan().item() == (method not in ("dldl", "dldl-v2"))
    error = (METHODS[method].decode(outputs, labels) - targets.labels).abs().mean()
    assert parts.l1.item() == pytest.approx(error.item(), rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_labels_at_and_beyond_the_ends_and_a_deviation_of_zero_keep_the_gradient_finite(method: str) -> None:
    labels = SETS["points"]
    outputs, _ = batch(method, labels, seed=3)
    outputs.mul_(30).requires_grad_()
    targets = Targets(torch.tensor([1.0, 5.0, 5.4]), torch.zeros(3))
    parts = METHODS[method].loss(outputs, targets, labels, WEIGHTS)
    parts.total.backward()
    assert parts.total.isfinite()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()


@pytest.mark.parametrize("method", METHODS)
def test_bf16_outputs_are_computed_on_in_float32(method: str) -> None:
    labels = SETS["years"]
    outputs, targets = batch(method, labels, seed=1)
    assert METHODS[method].decode(outputs.bfloat16(), labels).dtype == torch.float32
    assert METHODS[method].loss(outputs.bfloat16(), targets, labels, WEIGHTS).total.dtype == torch.float32


def test_the_weights_of_a_trial_are_its_fields_of_the_same_names() -> None:
    weights = LossWeights(lambda_l1=0.7, kl_over_bins="sum", lambda_mean=0.3, lambda_variance=0.1)
    config = TrialConfig(lambda_variance=0.1, lambda_mean=0.3, kl_over_bins="sum", lambda_l1=0.7)
    assert LossWeights.of(config) == weights
