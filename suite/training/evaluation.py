"""Predictions of a trained network on a split, and their metrics."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from suite.data.dataset import LabelledImages
from suite.machine import without_tf32
from suite.methods import METHODS
from suite.methods.labels import LabelSet
from suite.methods.metrics import measure
from suite.statistics.conformal import deviations_of
from suite.training.inputs import normalised
from suite.training.recipe import Precision, autocast
from suite.trial import MethodName, Metrics

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Predictions:
    """The predictions for a split.

    Attributes:
        estimates: Estimated labels, each the mean over an image and its mirror image, float32 (n,), on the CPU.
        one_pass: Estimated labels of the images as they are, float32 (n,), on the CPU.
        deviations: Standard deviations of the mean distributions, float32 (n,), label units, on the CPU; None where the
            method gives no distribution.
    """

    estimates: Tensor
    one_pass: Tensor
    deviations: Tensor | None


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
    straight, mirrored = _both(_outputs(network, part, precision, device), method, label_set)
    return (straight + mirrored) / 2


@torch.inference_mode()
def predict_with_deviations(
    network: nn.Module,
    part: LabelledImages,
    label_set: LabelSet,
    *,
    method: MethodName,
    precision: Precision,
    device: torch.device,
) -> Predictions:
    """Predict a split as ``predict`` does, with the deviations of the distributions."""
    distribution = METHODS[method].distribution
    outputs, deviations = [], []
    for straight, mirrored in _outputs(network, part, precision, device):
        outputs.append((straight, mirrored))
        if distribution is not None:
            shares = ((distribution(straight) + distribution(mirrored)) / 2).cpu().numpy()
            deviations.append(torch.from_numpy(deviations_of(shares, label_set.low, label_set.high)).float())
    one_pass, other = _both(outputs, method, label_set)
    return Predictions((one_pass + other) / 2, one_pass, torch.cat(deviations) if deviations else None)


def _both(
    outputs: Iterable[tuple[Tensor, Tensor]], method: MethodName, label_set: LabelSet
) -> tuple[Tensor, Tensor]:
    """The estimates of images and of their mirror images, each float32 (n,), on the CPU, from the outputs for both."""
    decode = METHODS[method].decode
    pairs = [(decode(straight, label_set), decode(mirrored, label_set)) for straight, mirrored in outputs]
    straight, mirrored = (torch.cat(side).cpu() for side in zip(*pairs, strict=True))
    return straight, mirrored


def _outputs(
    network: nn.Module, part: LabelledImages, precision: Precision, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the outputs for each batch of a split, and for its mirror images; the network is in evaluation mode."""
    was_training = network.training
    network.eval()
    for rows in torch.split(part.rows, EVALUATION_BATCH):
        inputs = normalised(part.images[rows].to(device))
        with without_tf32(precision), autocast(precision, device):
            straight, mirrored = network(inputs), network(inputs.flip(3))
        yield straight, mirrored
    network.train(was_training)


@torch.inference_mode()
def evaluate(
    network: nn.Module,
    part: LabelledImages,
    label_set: LabelSet,
    *,
    method: MethodName,
    precision: Precision,
    device: torch.device,
) -> Metrics:
    """Compute the metrics of ``predict`` on a split, and the MAE of one pass; they are NaN if a prediction is."""
    straight, mirrored = _both(_outputs(network, part, precision, device), method, label_set)
    estimates = (straight + mirrored) / 2
    return measure(estimates, part.labels, part.deviations, part.groups, one_pass=straight)
