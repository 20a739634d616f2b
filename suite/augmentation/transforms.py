"""The changes of each image as two affine transforms, one of coordinates and one of colours."""

import torch
from torch import Tensor

from suite.augmentation.parameters import AugmentationParameters

#: The weights of red, green and blue in grey (ITU-R BT.601, as in the released code and in Pillow).
GREY = (0.299, 0.587, 0.114)


def warps(parameters: AugmentationParameters, side: int) -> Tensor:
    """Compose mirroring, rotation, scaling and crop of each image into one affine map.

    Returns:
        float64 (b, 2, 3). Each maps (x, y, 1) in the resized image, of ``parameters.sides`` pixels a side, to x and y
        in the image of ``side`` pixels. The centre of the first pixel is at (0, 0).
    """
    angle = torch.deg2rad(parameters.angles.double())
    cosine, sine = angle.cos(), angle.sin()
    turned = torch.stack([cosine, -sine, sine, cosine], 1).view(-1, 2, 2)
    turned[:, 0] = torch.where(parameters.mirrored[:, None], -turned[:, 0], turned[:, 0])
    pixel = (side / parameters.sides.double())[:, None]  # the width of a pixel of the smaller image
    # The centre of the first pixel, relative to the middle of the image.
    first = pixel / 2 - side / 2 + parameters.shifts.flip(1)
    origin = torch.einsum("bij,bj->bi", turned, first) + side / 2 - 0.5
    return torch.cat([turned * pixel[:, :, None], origin[:, :, None]], 2)


def colour_mixes(parameters: AugmentationParameters) -> Tensor:
    """Compose grey, brightness, contrast and saturation of each image, without the offset of the contrast.

    Returns:
        float32 (b, 3, 3), which maps red, green and blue to new ones.
    """
    to_grey = torch.tensor(GREY).expand(3, 3)
    saturation = parameters.saturation.masked_fill(parameters.grey, 0.0)[:, None, None]
    mix = saturation * torch.eye(3) + (1 - saturation) * to_grey
    return (parameters.brightness * parameters.contrast)[:, None, None] * mix


def mean_grey_weights(parameters: AugmentationParameters) -> Tensor:
    """Return the multiple of its mean grey that contrast adds to each image, float32 (b,)."""
    return parameters.brightness * (1 - parameters.contrast)
