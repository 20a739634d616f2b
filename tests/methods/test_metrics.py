import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.methods.metrics import measure

errors = st.lists(st.floats(-60, 60), min_size=2, max_size=30)


@given(errors)
def test_metrics_agree_with_numpy(differences: list[float]) -> None:
    labels = torch.linspace(10, 90, len(differences), dtype=torch.float64)
    predictions = labels + torch.tensor(differences, dtype=torch.float64)
    metrics = measure(predictions, labels, torch.full_like(labels, 4.0))
    error = predictions.numpy() - labels.numpy()
    assert metrics.mae == pytest.approx(np.abs(error).mean(), abs=1e-9)
    assert metrics.rmse == pytest.approx(np.sqrt((error**2).mean()), abs=1e-9)
    assert metrics.cs5 == pytest.approx((np.abs(error) <= 5).mean())
    assert metrics.cs3 <= metrics.cs5 <= metrics.cs8
    assert metrics.epsilon_error == pytest.approx((1 - np.exp(-(error**2) / 32)).mean(), abs=1e-9)
    assert metrics.rmse >= metrics.mae - 1e-9


def test_pearson_agrees_with_numpy_and_is_zero_for_a_constant() -> None:
    labels = torch.tensor([1.0, 2.0, 4.0, 8.0])
    predictions = torch.tensor([1.5, 1.0, 5.0, 6.0])
    nothing = torch.full((4,), math.nan)
    oracle = np.corrcoef(predictions.numpy(), labels.numpy())[0, 1]
    assert measure(predictions, labels, nothing).pearson == pytest.approx(oracle)
    assert measure(torch.ones(4), labels, nothing).pearson == 0


def test_data_without_deviations_has_no_epsilon_error() -> None:
    labels = torch.tensor([1.0, 2.0])
    assert measure(labels, labels, torch.tensor([3.0, math.nan])).epsilon_error is None
