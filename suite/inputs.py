"""From stored images to what a network takes: augmentation and normalisation of batches."""

import torch
from torch import Tensor

from suite.data.dataset import LabelledImages
from suite.trial import TrialConfig

#: Mean and standard deviation of the red, green and blue channels in 0..1 (paper, training recipe).
CHANNEL_MEAN = (0.5958, 0.4637, 0.4065)
CHANNEL_STD = (0.2693, 0.2409, 0.2352)


def augmented(part: LabelledImages, batch: Tensor, config: TrialConfig) -> Tensor:
    """Gather a batch, each image mirrored with probability 1/2 and shifted, in one indexing.

    Pixels shifted in from outside repeat the border. Draws from torch's CPU generator.

    Args:
        part: the split.
        batch: int64 (b,), positions within the split.
        config: its ``flip`` and ``shift_pixels`` decide.

    Returns:
        uint8 (b, side, side, 3).
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
    mean = torch.tensor(CHANNEL_MEAN, device=images.device) * 255
    scale = 1 / (torch.tensor(CHANNEL_STD, device=images.device) * 255)
    return ((images.float() - mean) * scale).permute(0, 3, 1, 2)
