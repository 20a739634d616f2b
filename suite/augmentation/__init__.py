"""The paper's augmentation of training images, drawn once for a batch and applied on its device.

``AugmentationParameters`` describes what happens to each image, and ``augment_batch`` applies it. On a CPU, OpenCV
changes one image after the other. On a GPU, or where OpenCV is missing, torch changes the whole batch at once. The two
agree within a few grey levels.
"""

from functools import cache

import torch
from torch import Tensor

from suite.augmentation.parameters import AugmentationParameters
from suite.augmentation.with_torch import augment_with_torch

__all__ = ["AugmentationParameters", "augment_batch"]


def augment_batch(
    images: Tensor, rows: Tensor, parameters: AugmentationParameters, device: torch.device
) -> Tensor:
    """Gather images and augment each.

    Args:
        images: uint8 (n, side, side, 3), on ``device`` or on the CPU.
        rows: The indices of the images, int64 (b,), on the CPU.
        parameters: The parameters of b images of that side.
        device: The device that does the work.

    Returns:
        uint8 (b, side, side, 3) on ``device``.
    """
    if device.type == "cpu" and has_opencv():
        from suite.augmentation.with_opencv import augment_with_opencv

        return augment_with_opencv(images, rows, parameters)
    return augment_with_torch(images[rows.to(images.device)].to(device, non_blocking=True), parameters)


@cache
def has_opencv() -> bool:
    """Whether OpenCV (the optional dependency ``opencv``) is installed; importing it is left until it is needed."""
    try:
        import cv2  # noqa: F401
    except ImportError:
        return False
    return True
