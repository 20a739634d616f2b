"""Predictions of a trained network on a split, and their metrics."""

import torch
from torch import Tensor, nn

from suite.data.dataset import LabelledImages
from suite.machine import without_tf32
from suite.methods import METHODS
from suite.methods.labels import LabelSet
from suite.methods.metrics import measure
from suite.training.inputs import normalised
from suite.training.recipe import Precision, autocast
from suite.trial import MethodName, Metrics

EVALUATION_BATCH = 256


@torch.inference_mode()
def predict(
    network: nn.Module,
    part: LabelledImages,
    label_set: LabelSet,
    *,
    method: MethodName,
    precision: Precision,
    device: torch.device,
) -> Tensor:
    """Predict a split, averaging the estimates of each image and its mirror image.

    Returns:
        Estimated labels, float32 (n,), on the CPU.
    """
    decode = METHODS[method].decode
    was_training = network.training
    network.eval()
    estimates = []
    for rows in torch.split(part.rows, EVALUATION_BATCH):
        inputs = normalised(part.images[rows].to(device))
        with without_tf32(precision), autocast(precision, device):
            straight, mirrored = network(inputs), network(inputs.flip(3))
        estimates.append((decode(straight, label_set) + decode(mirrored, label_set)) / 2)
    network.train(was_training)
    return torch.cat(estimates).cpu()


def evaluate(
    network: nn.Module,
    part: LabelledImages,
    label_set: LabelSet,
    *,
    method: MethodName,
    precision: Precision,
    device: torch.device,
) -> Metrics:
    """Compute the metrics of ``predict`` on a split; the MAE is NaN if a prediction is."""
    predictions = predict(network, part, label_set, method=method, precision=precision, device=device)
    return measure(predictions, part.labels, part.deviations)
