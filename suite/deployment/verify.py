"""Verification of an exported file: its outputs are compared with PyTorch's on real images before it is kept."""

import itertools
from dataclasses import dataclass

import numpy as np
import torch

from suite.data.dataset import LabelledImages
from suite.deployment.inference import Floats, Model, Outputs, run_model
from suite.deployment.inference_module import InferenceModule
from suite.machine import without_tf32
from suite.methods.metrics import measure
from suite.training.inputs import normalised
from suite.trial import Metrics

#: Sizes of the first batches; several, to find a size that was fixed by mistake. The last size is repeated.
BATCHES = (1, 7, 64)
#: The largest number of images: a difference shows on the first few.
MOST_IMAGES = 512
#: Tolerance on the outputs of the last layer, because other kernels sum in another order.
OUTPUT_TOLERANCE = 1e-3
#: Tolerance on a share of the distribution, and on an estimate in label steps.
SHARE_TOLERANCE, STEP_TOLERANCE = 1e-4, 1e-2


class MismatchError(Exception):
    """The outputs of a file differ from those of the network it was made from; the message is one sentence."""


@dataclass(frozen=True)
class Verification:
    """How close the outputs of a file are to PyTorch's.

    Attributes:
        images: Images compared.
        batches: Batches compared.
        value_difference: Largest difference of an estimate, label units.
        share_difference: Largest difference of a share of the distribution; 0 where there is no distribution.
    """

    images: int
    batches: int
    value_difference: float
    share_difference: float


def verify(model: Model, module: InferenceModule, part: LabelledImages) -> Verification:
    """Compare the outputs of a file with those of the network that it was written from.

    Args:
        model: The opened file.
        module: The network in PyTorch.
        part: A split; its first ``MOST_IMAGES`` images are used.

    Raises:
        MismatchError: An output differs by more than float32 arithmetic in another order explains.
    """
    values, shares, batches, done = 0.0, 0.0, 0, 0
    for rows in _batches(part):
        images = part.images[rows]
        with torch.inference_mode(), without_tf32():
            logits = module.network(normalised(images))
        outputs = model.run(np.ascontiguousarray(images.numpy()))
        values = max(values, _value_difference(outputs, module, logits))
        shares = max(shares, _share_difference(outputs, module, logits))
        batches, done = batches + 1, done + len(rows)
    return Verification(done, batches, values, shares)


def predict_split(model: Model, part: LabelledImages, batch: int = 64) -> Outputs:
    """Return a model's outputs for a split: the mean over each image and its mirror image.

    The metrics of a training are taken in the same way (``suite.training.evaluation``).
    """
    outputs = [
        run_model(model, np.ascontiguousarray(part.images[rows].numpy()), mirrored=True)
        for rows in torch.split(part.rows, batch)
    ]
    shares = [each.distributions for each in outputs if each.distributions is not None]
    one_pass = [each.one_pass for each in outputs if each.one_pass is not None]
    values = np.concatenate([each.values for each in outputs])
    return Outputs(values, np.concatenate(shares) if shares else None, np.concatenate(one_pass))


def evaluate_model(model: Model, part: LabelledImages) -> Metrics:
    """Return all metrics of a model on a split, taken as those of a training are."""
    outputs = predict_split(model, part)
    return measured(outputs, part)


def measured(outputs: Outputs, part: LabelledImages) -> Metrics:
    """Return all metrics of a model's outputs for a split."""
    one_pass = None if outputs.one_pass is None else torch.from_numpy(outputs.one_pass)
    values = torch.from_numpy(outputs.values)
    return measure(values, part.labels, part.deviations, part.groups, one_pass=one_pass)


def _batches(part: LabelledImages) -> list[torch.Tensor]:
    rows = part.rows[:MOST_IMAGES]
    counts = [*BATCHES, *[BATCHES[-1]] * (MOST_IMAGES // BATCHES[-1])]
    starts = np.cumsum([0, *counts]).tolist()
    return [rows[a:b] for a, b in itertools.pairwise(starts) if a < len(rows)]


def _value_difference(outputs: Outputs, module: InferenceModule, logits: torch.Tensor) -> float:
    """Return the largest difference of an estimate.

    Estimates may be those of logits that are higher or lower by the tolerance: a count of thresholds jumps there.
    """
    expected, low, high = (
        module.decode(logits + shift)[0].numpy() for shift in (0.0, -OUTPUT_TOLERANCE, OUTPUT_TOLERANCE)
    )
    given = _same_type(outputs.values, expected)
    allowed = STEP_TOLERANCE * module.label_set.step
    off = np.maximum(np.minimum(low, high) - given, given - np.maximum(low, high))
    if not (off <= allowed).all():  # NaN counts as a mismatch
        worst = int(np.nanargmax(off)) if not np.isnan(off).all() else 0
        raise MismatchError(
            f"its estimate for an image is {given[worst]:.6g} where PyTorch's is {expected[worst]:.6g}"
        )
    return float(np.abs(given - expected).max())


def _share_difference(outputs: Outputs, module: InferenceModule, logits: torch.Tensor) -> float:
    """Return the largest difference of a share of the distribution; 0 where there is no distribution."""
    _, *rest = module.decode(logits)
    if not rest and outputs.distributions is None:
        return 0.0
    if not rest or outputs.distributions is None:
        raise MismatchError("it gives a distribution where PyTorch gives none, or none where PyTorch does")
    expected = rest[0].numpy()
    off = float(np.abs(_same_type(outputs.distributions, expected) - expected).max())
    if not off <= SHARE_TOLERANCE:
        raise MismatchError(f"its distribution differs from PyTorch's by up to {off:.3g} in a bin")
    return off


def _same_type(given: Floats, expected: Floats) -> Floats:
    if given.shape != expected.shape or given.dtype != expected.dtype:
        raise MismatchError(
            f"it gives {given.dtype} {given.shape} where PyTorch gives {expected.dtype} {expected.shape}"
        )
    return given
