"""Augmentation by torch of a whole batch at once, on any device."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from suite.augmentation.parameters import AugmentationParameters
from suite.augmentation.transforms import GREY, colour_mixes, mean_grey_weights, warps


def augment_with_torch(images: Tensor, parameters: AugmentationParameters) -> Tensor:
    """Augment each image; takes and returns uint8 (b, side, side, 3) on one device."""
    pixels = images.permute(0, 3, 1, 2).float()
    pixels = _sampled(pixels, _warped_grid(parameters, images.shape[1], images.device), "zeros")
    pixels = _sampled(pixels, _enlarging_grid(parameters, images.shape[1], images.device), "border")
    colours = _recoloured(pixels, parameters)
    return colours.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def _sampled(images: Tensor, grid: Tensor, outside: Literal["zeros", "border"]) -> Tensor:
    return grid_sample(images, grid, mode="bilinear", padding_mode=outside, align_corners=False)


def _warped_grid(parameters: AugmentationParameters, side: int, device: torch.device) -> Tensor:
    """Sampling coordinates of the pixels of the resized images, in -1..1, float32 (b, s, s, 2).

    All have the side s of the largest. A smaller one occupies the top left corner; the rest is never read.
    """
    transform = warps(parameters, side) * 2 / side
    transform[:, :, 2] += 1 / side - 1
    transform = transform.to(device, torch.float32)
    across = torch.arange(int(parameters.sides.max()), device=device, dtype=torch.float32)
    of_column = transform[:, :, 0, None] * across + transform[:, :, 2, None]
    of_row = transform[:, :, 1, None] * across
    return (of_column[:, :, None, :] + of_row[:, :, :, None]).permute(0, 2, 3, 1)


def _enlarging_grid(parameters: AugmentationParameters, side: int, device: torch.device) -> Tensor:
    """Sampling coordinates of the full images in the resized ones, in -1..1, float32 (b, side, side, 2)."""
    small = parameters.sides[:, None].double()
    along = (torch.arange(side) + 0.5) * small / side - 0.5
    inside = torch.minimum(along.clamp(min=0), small - 1)  # repeats the border of each resized image
    along = ((2 * inside + 1) / int(parameters.sides.max()) - 1).to(device, torch.float32)
    across, down = along[:, None, :].expand(-1, side, -1), along[:, :, None].expand(-1, -1, side)
    return torch.stack([across, down], 3)


def _recoloured(images: Tensor, parameters: AugmentationParameters) -> Tensor:
    """Apply the colour changes to float32 (b, 3, side, side)."""
    device = images.device
    mean_grey = images.mean((2, 3)) @ torch.tensor(GREY, device=device)
    offsets = mean_grey_weights(parameters).to(device) * mean_grey
    flat = images.flatten(2)
    return torch.baddbmm(offsets[:, None, None], colour_mixes(parameters).to(device), flat).view_as(images)
