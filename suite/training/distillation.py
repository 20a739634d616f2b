"""Distillation: a network learns from what a trained teacher says of its images, beside their labels.

The term that is added to a method's own loss is ``distill_weight * T^2 * KL(teacher_T || network_T)``, where
both distributions are softened by the temperature ``T``; ``T^2`` keeps its gradients as large as those of the
labels whatever the temperature (Hinton, Vinyals and Dean 2015). The KL is summed over the bins, whatever
``kl_over_bins`` says of the labels' own.

What the teacher says is kept where an image has two views at most, itself and its mirror image ("light"
augmentation without a shift): each view is then answered once, before the first epoch. With a shift an image
has 50 views and more, of which a training sees few twice, and with the paper's augmentation no two are alike:
there the teacher answers each batch anew.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from suite.data.dataset import LabelledImages
from suite.errors import RequestError
from suite.machine import without_tf32
from suite.methods import METHODS
from suite.networks import to_device
from suite.networks.weights import load_network
from suite.training.inputs import normalised
from suite.training.recipe import Precision, autocast
from suite.trial import TrialConfig

ANSWERED_AT_ONCE = 256


def distillation_loss(outputs: Tensor, teacher_outputs: Tensor, temperature: float) -> Tensor:
    """``T^2 * KL(teacher_T || network_T)``, summed over bins and averaged over the batch, a scalar.

    Args:
        outputs: logits, float (batch, bins), of the network that learns.
        teacher_outputs: the teacher's, of the same shape.
        temperature: what both are divided by, above 0.
    """
    softened = torch.log_softmax(outputs.float() / temperature, 1)
    target = torch.log_softmax(teacher_outputs.float() / temperature, 1)
    divergence = torch.nn.functional.kl_div(softened, target, reduction="batchmean", log_target=True)
    return temperature**2 * divergence


class Teacher:
    """A trained network that answers the batches of a training.

    Args:
        network: the teacher's; it is only ever evaluated.
        part: the training split.
        config: of the training: augmentation, weight, temperature.
        device: where the training runs.
        precision: of the training.
    """

    def __init__(
        self,
        network: nn.Module,
        part: LabelledImages,
        config: TrialConfig,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self._network = to_device(network, device).eval().requires_grad_(False)
        self._part, self._config, self._device, self._precision = part, config, device, precision
        self._kept = self._answers_of_all() if has_two_views(config) else None

    def loss(self, outputs: Tensor, images: Tensor, batch: Tensor) -> Tensor:
        """The weighted term of a batch, a scalar.

        Args:
            outputs: logits of the network that learns, float (b, bins).
            images: what it saw, uint8 (b, side, side, 3).
            batch: int64 (b,), positions within the training split.
        """
        answers, config = self.answers(images, batch), self._config
        return config.distill_weight * distillation_loss(outputs, answers, config.temperature)

    def answers(self, images: Tensor, batch: Tensor) -> Tensor:
        """Logits for a batch as it was augmented, float32 (b, bins)."""
        if self._kept is None:
            return self._answered(images)
        straight = self._part.images[self._part.rows[batch]].to(self._device)
        mirrored = (images != straight).flatten(1).any(1).long()
        return self._kept[mirrored, batch.to(self._device)]

    def _answers_of_all(self) -> Tensor:
        """Logits for each image and its mirror image, float32 (2, n, bins)."""
        answers = []
        for rows in torch.split(self._part.rows, ANSWERED_AT_ONCE):
            images = self._part.images[rows].to(self._device)
            answers.append(torch.stack([self._answered(images), self._answered(images.flip(2))]))
        return torch.cat(answers, 1)

    @torch.no_grad()
    def _answered(self, images: Tensor) -> Tensor:
        with without_tf32(self._precision), autocast(self._precision, self._device):
            answers: Tensor = self._network(normalised(images))
        return answers.float()


def has_two_views(config: TrialConfig) -> bool:
    """Whether a training sees an image only as it is, or mirrored."""
    return config.augmentation == "light" and config.shift_pixels == 0


def teacher_of(
    config: TrialConfig, part: LabelledImages, device: torch.device, precision: Precision
) -> Teacher | None:
    """The teacher that a configuration names, ready to answer; None where it learns from labels alone.

    Raises:
        RequestError: its file cannot be read, or it answers another question than the training asks.
    """
    if not config.distill_weight:
        return None
    if config.teacher is None:
        raise RequestError(
            f"distill_weight is {config.distill_weight:g} and teacher is missing; name the weights of a "
            "trained network, or set distill_weight to 0"
        )
    if config.distill_weight < 0 or config.temperature <= 0:
        raise RequestError(
            f"distill_weight is {config.distill_weight:g} and temperature {config.temperature:g}; neither "
            "may be below 0, nor the temperature 0"
        )
    network, taught, _ = load_network(Path(config.teacher))
    check_teacher(config, taught)
    return Teacher(network, part, config, device, precision)


def check_teacher(config: TrialConfig, taught: TrialConfig) -> None:
    """Refuse a teacher that answers another question than the training asks.

    Args:
        config: of the training.
        taught: of the teacher's.

    Raises:
        RequestError: so it does, or one of the two has no distribution.
    """
    for method, whose in ((config.method, "the trial"), (taught.method, "the teacher")):
        if METHODS[method].distribution is None:
            fit = ", ".join(word for word, row in METHODS.items() if row.distribution)
            raise RequestError(
                f"{whose} has the method {method}, which has no distribution to distil; choose one of {fit}"
            )
    for field in ("attribute", "resolution", "label_low", "label_high", "label_step"):
        ours, its = getattr(config, field), getattr(taught, field)
        if ours != its:
            raise RequestError(
                f"the teacher {config.teacher} was trained with {field} {its} and the trial has {ours}; "
                f"set {field} to {its}, or name another teacher"
            )
