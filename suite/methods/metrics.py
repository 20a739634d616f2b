"""The paper's metrics: MAE, epsilon-error, cumulative score, RMSE and Pearson's correlation."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from suite.statistics.worst_group import Group, worst_group
from suite.trial import Metrics


def mean_absolute_error(predictions: Tensor, labels: Tensor) -> float:
    """Return the mean of |prediction - label|, in label units; both are float (images,)."""
    return float((predictions.double() - labels.double()).abs().mean())


def epsilon_error(predictions: Tensor, labels: Tensor, deviations: Tensor) -> float:
    """Return the mean of 1 - exp(-(prediction - label)^2 / (2 deviation^2)), 0 to 1 (ChaLearn LAP)."""
    squared = (predictions.double() - labels.double()).square()
    spread = deviations.double().clamp(min=1e-10)
    return float((1 - torch.exp(-squared / (2 * spread.square()))).mean())


def cumulative_score(predictions: Tensor, labels: Tensor, within: float) -> float:
    """Return CS(n), the share of images with |prediction - label| <= n label units, 0 to 1."""
    return float(((predictions.double() - labels.double()).abs() <= within).double().mean())


def root_mean_squared_error(predictions: Tensor, labels: Tensor) -> float:
    """Return the root of the mean squared error, in label units."""
    return float((predictions.double() - labels.double()).square().mean().sqrt())


def pearson_correlation(predictions: Tensor, labels: Tensor) -> float:
    """Return Pearson's correlation; 0 where either side is constant, because it then explains nothing."""
    left = predictions.double() - predictions.double().mean()
    right = labels.double() - labels.double().mean()
    scale = left.norm() * right.norm()
    return float(left @ right / scale) if scale > 0 else 0.0


def measure(
    predictions: Tensor,
    labels: Tensor,
    deviations: Tensor,
    groups: Sequence[Group] = (),
    *,
    one_pass: Tensor | None = None,
) -> Metrics:
    """Compute all metrics of a split.

    Args:
        predictions: Means over each image and its mirror image, float (images,), label units.
        labels: float (images,), label units.
        deviations: float (images,), label units, of the annotators. A NaN anywhere means that the data has none.
        groups: Of the people of the split, those that count; none: no group is the worst.
        one_pass: Predictions for the images as they are, float (images,), label units; None where they are not known.
    """
    errors = (predictions.double() - labels.double()).abs().numpy() if groups else np.empty(0)
    return Metrics(
        mae=mean_absolute_error(predictions, labels),
        rmse=root_mean_squared_error(predictions, labels),
        pearson=pearson_correlation(predictions, labels),
        cs3=cumulative_score(predictions, labels, 3),
        cs5=cumulative_score(predictions, labels, 5),
        cs8=cumulative_score(predictions, labels, 8),
        epsilon_error=None if deviations.isnan().any() else epsilon_error(predictions, labels, deviations),
        mae_one_pass=None if one_pass is None else mean_absolute_error(one_pass, labels),
        worst_group=worst_group(errors, groups),
    )
