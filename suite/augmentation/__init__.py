"""The paper's augmentation of training images: drawn once for a batch, done on its device.

``Changes`` says what happens to each image; ``augment_batch`` does it, by OpenCV image by image on a
processor and by torch to the whole batch on a GPU, or wherever OpenCV is missing. The two agree within
a few grey levels.
"""

from functools import cache

import torch
from torch import Tensor

from suite.augmentation.changes import Changes
from suite.augmentation.with_torch import augment_with_torch

__all__ = ["Changes", "augment_batch"]


def augment_batch(images: Tensor, rows: Tensor, changes: Changes, device: torch.device) -> Tensor:
    """Gather images and change each as drawn.

    Args:
        images: uint8 (n, side, side, 3), on ``device`` or on the CPU.
        rows: int64 (b,), on the CPU, which of the images.
        changes: of b images of that side.
        device: where the work is done.

    Returns:
        uint8 (b, side, side, 3) on ``device``.
    """
    if device.type == "cpu" and has_opencv():
        from suite.augmentation.with_opencv import augment_with_opencv

        return augment_with_opencv(images, rows, changes)
    return augment_with_torch(images[rows.to(images.device)].to(device, non_blocking=True), changes)


@cache
def has_opencv() -> bool:
    """Whether OpenCV (the extra ``opencv``) can be imported; importing it waits until it is needed."""
    try:
        import cv2  # noqa: F401
    except ImportError:
        return False
    return True
