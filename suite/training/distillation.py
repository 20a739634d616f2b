"""Distillation: a network learns from the predictions of a trained teacher in addition to the labels.

The method's loss gains the term ``distill_weight * T^2 * KL(teacher_T || network_T)``, in which the temperature
``T`` softens both distributions. The factor ``T^2`` keeps the gradients as large as those of the labels at any
temperature (Hinton, Vinyals and Dean 2015). The KL is summed over the bins; ``kl_over_bins`` applies to the labels
only.

With "light" augmentation and no shift, an image has at most two views: itself and its mirror image. The teacher
then predicts each view once, before the first epoch. With a shift, an image has 50 views or more and a training
sees few of them twice, and with the paper's augmentation no two are alike. The teacher then predicts each batch
anew.
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

TEACHER_BATCH = 256


def distillation_loss(outputs: Tensor, teacher_outputs: Tensor, temperature: float) -> Tensor:
    """Return ``T^2 * KL(teacher_T || network_T)``, summed over bins and averaged over the batch, a scalar.

    Args:
        outputs: Logits of the student, float (batch, bins).
        teacher_outputs: Logits of the teacher, of the same shape.
        temperature: The divisor of both, above 0.
    """
    softened = torch.log_softmax(outputs.float() / temperature, 1)
    target = torch.log_softmax(teacher_outputs.float() / temperature, 1)
    divergence = torch.nn.functional.kl_div(softened, target, reduction="batchmean", log_target=True)
    return temperature**2 * divergence


class Teacher:
    """A trained network that predicts the batches of a training.

    Args:
        network: The trained network; it is only evaluated.
        part: The training split.
        config: The student's configuration, with augmentation, weight and temperature.
        device: The device of the training.
        precision: The precision of the training.
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
        self._cached = self._predict_all_views() if has_two_views(config) else None

    def loss(self, outputs: Tensor, images: Tensor, batch: Tensor) -> Tensor:
        """Return the weighted loss term of a batch, a scalar.

        Args:
            outputs: Logits of the student, float (b, bins).
            images: The augmented images that it saw, uint8 (b, side, side, 3).
            batch: Positions within the training split, int64 (b,).
        """
        logits, config = self.logits(images, batch), self._config
        return config.distill_weight * distillation_loss(outputs, logits, config.temperature)

    def logits(self, images: Tensor, batch: Tensor) -> Tensor:
        """Return the teacher's logits for an augmented batch, float32 (b, bins)."""
        if self._cached is None:
            return self._predict(images)
        straight = self._part.images[self._part.rows[batch]].to(self._device)
        mirrored = (images != straight).flatten(1).any(1).long()
        return self._cached[mirrored, batch.to(self._device)]

    def _predict_all_views(self) -> Tensor:
        """Logits for each image and its mirror image, float32 (2, n, bins)."""
        logits = []
        for rows in torch.split(self._part.rows, TEACHER_BATCH):
            images = self._part.images[rows].to(self._device)
            logits.append(torch.stack([self._predict(images), self._predict(images.flip(2))]))
        return torch.cat(logits, 1)

    @torch.no_grad()
    def _predict(self, images: Tensor) -> Tensor:
        with without_tf32(self._precision), autocast(self._precision, self._device):
            logits: Tensor = self._network(normalised(images))
        return logits.float()


def has_two_views(config: TrialConfig) -> bool:
    """Whether a training sees an image only as it is and mirrored."""
    return config.augmentation == "light" and config.shift_pixels == 0


def teacher_of(
    config: TrialConfig, part: LabelledImages, device: torch.device, precision: Precision
) -> Teacher | None:
    """Load the teacher that a configuration names; None where the training has no distillation.

    Raises:
        RequestError: The file cannot be read, or the teacher does not match the training.
    """
    if not config.distill_weight:
        return None
    if config.teacher is None:
        raise RequestError(
            f"distill_weight is {config.distill_weight:g} and teacher is missing; name the weights of a "
            "trained network, or set distill_weight to 0"
        )
    if config.distill_weight < 0:
        raise RequestError(f"distill_weight is {config.distill_weight:g}; set it to 0 or more")
    network, teacher_config, _ = load_network(Path(config.teacher))
    check_teacher(config, teacher_config)
    return Teacher(network, part, config, device, precision)


def check_teacher(config: TrialConfig, teacher_config: TrialConfig) -> None:
    """Refuse a teacher that does not match the training.

    Args:
        config: The student's configuration.
        teacher_config: The teacher's configuration.

    Raises:
        RequestError: Attribute, resolution or label set differ, or a method has no distribution.
    """
    for method, whose in ((config.method, "the trial"), (teacher_config.method, "the teacher")):
        if METHODS[method].distribution is None:
            suitable = ", ".join(word for word, row in METHODS.items() if row.distribution)
            raise RequestError(
                f"{whose} has the method {method}, which has no distribution to distil; choose one of {suitable}"
            )
    for field in ("attribute", "resolution", "label_low", "label_high", "label_step"):
        ours, its = getattr(config, field), getattr(teacher_config, field)
        if ours != its:
            raise RequestError(
                f"the teacher {config.teacher} was trained with {field} {its} and the trial has {ours}; "
                f"set {field} to {its}, or name another teacher"
            )
