"""Augmentation of a whole batch by torch, on whatever device it lies."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from suite.augmentation.changes import Changes
from suite.augmentation.transforms import GREY, colour_mixes, mean_grey_weights, warps


def augment_with_torch(images: Tensor, changes: Changes) -> Tensor:
    """Change each image as drawn; uint8 (b, side, side, 3) in and out, on the same device."""
    places = images.permute(0, 3, 1, 2).float()
    places = _sampled(places, _warped_grid(changes, images.shape[1], images.device), "zeros")
    places = _sampled(places, _enlarging_grid(changes, images.shape[1], images.device), "border")
    colours = _recoloured(places, changes)
    return colours.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def _sampled(images: Tensor, grid: Tensor, outside: Literal["zeros", "border"]) -> Tensor:
    return grid_sample(images, grid, mode="bilinear", padding_mode=outside, align_corners=False)


def _warped_grid(changes: Changes, side: int, device: torch.device) -> Tensor:
    """Where each pixel of the smaller images is taken from, in -1..1, float32 (b, s, s, 2).

    They lie in the top left corner of images that all have the side s of the largest; what is beside
    them is never looked at.
    """
    transform = warps(changes, side) * 2 / side
    transform[:, :, 2] += 1 / side - 1
    transform = transform.to(device, torch.float32)
    across = torch.arange(int(changes.sides.max()), device=device, dtype=torch.float32)
    of_column = transform[:, :, 0, None] * across + transform[:, :, 2, None]
    of_row = transform[:, :, 1, None] * across
    return (of_column[:, :, None, :] + of_row[:, :, :, None]).permute(0, 2, 3, 1)


def _enlarging_grid(changes: Changes, side: int, device: torch.device) -> Tensor:
    """Where each pixel of the full images is taken from in the smaller ones, float32 (b, side, side, 2)."""
    small = changes.sides[:, None].double()
    along = (torch.arange(side) + 0.5) * small / side - 0.5
    inside = torch.minimum(
        along.clamp(min=0), small - 1
    )  # their border repeats; what is beside is not theirs
    along = ((2 * inside + 1) / int(changes.sides.max()) - 1).to(device, torch.float32)
    across, down = along[:, None, :].expand(-1, side, -1), along[:, :, None].expand(-1, -1, side)
    return torch.stack([across, down], 3)


def _recoloured(images: Tensor, changes: Changes) -> Tensor:
    """Float32 (b, 3, side, side) in and out."""
    device = images.device
    mean_grey = images.mean((2, 3)) @ torch.tensor(GREY, device=device)
    offsets = mean_grey_weights(changes).to(device) * mean_grey
    flat = images.flatten(2)
    return torch.baddbmm(offsets[:, None, None], colour_mixes(changes).to(device), flat).view_as(images)
