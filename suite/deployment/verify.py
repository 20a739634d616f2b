"""Does an exported file say what PyTorch says? Compared on real images before the file is kept."""

import itertools
from dataclasses import dataclass

import numpy as np
import torch

from suite.data.dataset import LabelledImages
from suite.deployment.inference import Answers, Floats, Model, ask
from suite.deployment.inference_module import InferenceModule
from suite.machine import without_tf32
from suite.methods.metrics import measure
from suite.training.inputs import normalised
from suite.trial import Metrics

#: Batches of several sizes, so that a size that was fixed by mistake is found; the last is repeated.
BATCHES = (1, 7, 64)
#: Most images that are compared: what differs, differs on the first few.
MOST_IMAGES = 512
#: An output may differ by so much before it is decoded; other kernels sum in another order.
OUTPUT_TOLERANCE = 1e-3
#: A share of the distribution may differ by so much; an estimate by so many label steps.
SHARE_TOLERANCE, STEP_TOLERANCE = 1e-4, 1e-2


class MismatchError(Exception):
    """An export answers otherwise than the network it was made from; one sentence."""


@dataclass(frozen=True)
class Verification:
    """How close an export is to PyTorch."""

    images: int
    batches: int
    value_difference: float  # the largest, label units
    share_difference: float  # the largest over all bins; 0 where there is no distribution


def compare(model: Model, deployed: InferenceModule, part: LabelledImages) -> Verification:
    """Run a file that was written, and the network that it came from, on images of a split.

    Args:
        model: opened from the file.
        deployed: the network, in PyTorch.
        part: the split; its first ``MOST_IMAGES`` images are taken.

    Raises:
        MismatchError: an answer differs by more than float32 arithmetic in another order explains.
    """
    values, shares, batches, done = 0.0, 0.0, 0, 0
    for rows in _batches(part):
        images = part.images[rows]
        with torch.inference_mode(), without_tf32():
            outputs = deployed.network(normalised(images))
        answers = model.run(np.ascontiguousarray(images.numpy()))
        values = max(values, _value_difference(answers, deployed, outputs))
        shares = max(shares, _share_difference(answers, deployed, outputs))
        batches, done = batches + 1, done + len(rows)
    return Verification(done, batches, values, shares)


def answer_part(model: Model, part: LabelledImages, batch: int = 64) -> Answers:
    """A model's answers for a split: the mean of an image's and its mirror image's.

    So are the metrics of a training taken (``suite.training.evaluation``).
    """
    answers = [
        ask(model, np.ascontiguousarray(part.images[rows].numpy()), mirrored=True)
        for rows in torch.split(part.rows, batch)
    ]
    shares = [answer.distributions for answer in answers if answer.distributions is not None]
    values = np.concatenate([answer.values for answer in answers])
    return Answers(values, np.concatenate(shares) if shares else None)


def measured(model: Model, part: LabelledImages) -> Metrics:
    """All metrics of a model on a split, as a training's are taken."""
    return measure(torch.from_numpy(answer_part(model, part).values), part.labels, part.deviations)


def _batches(part: LabelledImages) -> list[torch.Tensor]:
    rows = part.rows[:MOST_IMAGES]
    counts = [*BATCHES, *[BATCHES[-1]] * (MOST_IMAGES // BATCHES[-1])]
    starts = np.cumsum([0, *counts]).tolist()
    return [rows[a:b] for a, b in itertools.pairwise(starts) if a < len(rows)]


def _value_difference(answers: Answers, deployed: InferenceModule, outputs: torch.Tensor) -> float:
    """The largest; outputs may be a little higher or lower, by which a count of thresholds jumps."""
    expected, low, high = (
        deployed.read(outputs + shift)[0].numpy() for shift in (0.0, -OUTPUT_TOLERANCE, OUTPUT_TOLERANCE)
    )
    given = _checked(answers.values, expected)
    allowed = STEP_TOLERANCE * deployed.label_set.step
    off = np.maximum(np.minimum(low, high) - given, given - np.maximum(low, high))
    if not (off <= allowed).all():  # NaN is no agreement
        worst = int(np.nanargmax(off)) if not np.isnan(off).all() else 0
        raise MismatchError(
            f"its estimate for an image is {given[worst]:.6g} where PyTorch's is {expected[worst]:.6g}"
        )
    return float(np.abs(given - expected).max())


def _share_difference(answers: Answers, deployed: InferenceModule, outputs: torch.Tensor) -> float:
    _, *rest = deployed.read(outputs)
    if not rest and answers.distributions is None:
        return 0.0
    if not rest or answers.distributions is None:
        raise MismatchError("it gives a distribution where PyTorch gives none, or none where PyTorch does")
    expected = rest[0].numpy()
    off = float(np.abs(_checked(answers.distributions, expected) - expected).max())
    if not off <= SHARE_TOLERANCE:
        raise MismatchError(f"its distribution differs from PyTorch's by up to {off:.3g} in a bin")
    return off


def _checked(given: Floats, expected: Floats) -> Floats:
    if given.shape != expected.shape or given.dtype != expected.dtype:
        raise MismatchError(
            f"it gives {given.dtype} {given.shape} where PyTorch gives {expected.dtype} {expected.shape}"
        )
    return given
