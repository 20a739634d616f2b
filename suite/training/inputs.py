"""From stored images to what a network takes: augmentation and normalisation of batches."""

import torch
from torch import Tensor

from suite.augmentation import Changes, augment_batch
from suite.data.dataset import LabelledImages
from suite.trial import TrialConfig

#: Mean and standard deviation of the red, green and blue channels in 0..1 (paper, training recipe).
CHANNEL_MEAN = (0.5958, 0.4637, 0.4065)
CHANNEL_STD = (0.2693, 0.2409, 0.2352)

CPU = torch.device("cpu")


def augmented(part: LabelledImages, batch: Tensor, config: TrialConfig, device: torch.device = CPU) -> Tensor:
    """Gather a batch and change each image at random, drawing from torch's CPU generator.

    Args:
        part: the split.
        batch: int64 (b,), positions within the split.
        config: its ``augmentation``, ``flip`` and ``shift_pixels`` decide.
        device: where the batch is to be.

    Returns:
        uint8 (b, side, side, 3) on ``device``.
    """
    if config.augmentation == "light":
        return _mirrored_and_shifted(part, batch, config).to(device, non_blocking=True)
    changes = Changes.drawn(
        len(batch), part.images.shape[1], flip=config.flip, shift_pixels=config.shift_pixels
    )
    return augment_batch(part.images, part.rows[batch], changes, device)


def _mirrored_and_shifted(part: LabelledImages, batch: Tensor, config: TrialConfig) -> Tensor:
    """Each image mirrored with probability 1/2 and shifted, gathered in one indexing.

    Pixels shifted in from outside repeat the border.
    """
    side, count, reach = part.images.shape[1], len(batch), config.shift_pixels
    across = torch.arange(side)
    shift = torch.randint(-reach, reach + 1, (2, count, 1)) if reach else torch.zeros(2, count, 1).long()
    rows = (across + shift[0]).clamp(0, side - 1)
    columns = (across + shift[1]).clamp(0, side - 1)
    if config.flip:
        columns = torch.where(torch.rand(count, 1) < 0.5, columns.flip(1), columns)
    return part.images[part.rows[batch][:, None, None], rows[:, :, None], columns[:, None, :]]


def normalised(images: Tensor) -> Tensor:
    """uint8 (b, side, side, 3) as float32 (b, 3, side, side), channels-last in memory."""
    # A line of pixels at a time: with the three channels alone, the last dimension is too short to be fast.
    side = images.shape[2]
    mean = torch.tensor(CHANNEL_MEAN, device=images.device).repeat(side) * 255
    scale = 1 / (torch.tensor(CHANNEL_STD, device=images.device).repeat(side) * 255)
    lines = images.to(torch.float32, copy=True).flatten(2)
    return lines.sub_(mean).mul_(scale).view(images.shape).permute(0, 3, 1, 2)
