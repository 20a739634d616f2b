"""Network inputs from stored images: augmentation and normalisation of batches."""

import torch
from torch import Tensor

from suite.augmentation import AugmentationParameters, augment_batch
from suite.data.dataset import LabelledImages
from suite.methods import Targets
from suite.trial import TrialConfig

#: Mean and standard deviation of the red, green and blue channels in 0..1 (paper, training recipe).
CHANNEL_MEAN = (0.5958, 0.4637, 0.4065)
CHANNEL_STD = (0.2693, 0.2409, 0.2352)

CPU = torch.device("cpu")
WHOLE = slice(None)


def augmented(
    part: LabelledImages,
    batch: Tensor,
    config: TrialConfig,
    device: torch.device = CPU,
    shard: slice = WHOLE,
) -> Tensor:
    """Gather a batch and augment each image, drawing from torch's CPU generator.

    Args:
        part: The split.
        batch: Positions within the split, int64 (b,).
        config: The trial; its ``augmentation``, ``flip`` and ``shift_pixels`` apply.
        device: The device of the result.
        shard: The images of the batch to gather. Random numbers are drawn for all of them, so that an image of
            a batch looks the same whoever gathers it.

    Returns:
        uint8 (shard, side, side, 3) on ``device``.
    """
    if config.augmentation == "light":
        return _mirrored_and_shifted(part, batch, config, shard).to(device, non_blocking=True)
    parameters = AugmentationParameters.drawn(
        len(batch), part.images.shape[1], flip=config.flip, shift_pixels=config.shift_pixels
    )
    return augment_batch(part.images, part.rows[batch[shard]], parameters.of(shard), device)


def targets_of(
    part: LabelledImages, batch: Tensor, config: TrialConfig, device: torch.device = CPU
) -> Targets:
    """Gather the labels of a batch, and the deviations of their target distributions.

    A deviation is the configuration's, else the annotators', else 2 label steps (paper, label distribution).

    Args:
        part: The split.
        batch: int64 (b,), positions within the split.
        config: Its ``label_deviation`` and ``label_step`` decide.
        device: The device of the result.
    """
    if config.label_deviation is not None:
        deviations = torch.full((len(batch),), config.label_deviation)
    else:
        deviations = part.deviations[batch].nan_to_num(2.0 * config.label_step)
    return Targets(part.labels[batch].to(device), deviations.to(device))


def _mirrored_and_shifted(part: LabelledImages, batch: Tensor, config: TrialConfig, shard: slice) -> Tensor:
    """Mirror each image with probability 1/2, shift it, and gather all by one indexing.

    Pixels that are shifted in from outside repeat the border.
    """
    side, count, reach = part.images.shape[1], len(batch), config.shift_pixels
    across = torch.arange(side)
    shift = torch.randint(-reach, reach + 1, (2, count, 1)) if reach else torch.zeros(2, count, 1).long()
    rows = (across + shift[0]).clamp(0, side - 1)
    columns = (across + shift[1]).clamp(0, side - 1)
    if config.flip:
        columns = torch.where(torch.rand(count, 1) < 0.5, columns.flip(1), columns)
    images = part.rows[batch[shard]]
    return part.images[images[:, None, None], rows[shard][:, :, None], columns[shard][:, None, :]]


def normalised(images: Tensor) -> Tensor:
    """Normalise uint8 (b, side, side, 3) to float32 (b, 3, side, side), channels-last in memory."""
    # Lines of pixels are one dimension, because a last dimension of three channels would be slow.
    side = images.shape[2]
    mean = torch.tensor(CHANNEL_MEAN, device=images.device).repeat(side) * 255
    scale = 1 / (torch.tensor(CHANNEL_STD, device=images.device).repeat(side) * 255)
    lines = images.to(torch.float32, copy=True).flatten(2)
    return lines.sub_(mean).mul_(scale).view(images.shape).permute(0, 3, 1, 2)
