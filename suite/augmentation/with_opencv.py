"""Augmentation by OpenCV, one image after the other in uint8: several times as fast as torch on a CPU."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from suite.augmentation.parameters import AugmentationParameters
from suite.augmentation.transforms import GREY, colour_mixes, mean_grey_weights, warps

# Torch's number of threads is a trial's share of the machine. OpenCV's own threads would take all of it.
cv2.setNumThreads(1)

Bytes = npt.NDArray[np.uint8]
#: An image, its warp (2, 3), the side that it is warped to, its colour mix (3, 4) without the offset, the multiple
#: of its mean grey that is the offset, and the array for the result.
Work = tuple[Bytes, npt.NDArray[np.float64], int, npt.NDArray[np.float32], float, Bytes]

WARP_FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def augment_with_opencv(images: Tensor, rows: Tensor, parameters: AugmentationParameters) -> Tensor:
    """Gather images and augment each, on as many threads as torch has.

    Args:
        images: uint8 (n, side, side, 3) on the CPU; only the rows are read.
        rows: The indices of the images, int64 (b,).
        parameters: The parameters of b images.

    Returns:
        uint8 (b, side, side, 3) on the CPU.
    """
    out = torch.empty((len(rows), *images.shape[1:]), dtype=torch.uint8)
    work = _work(images, rows, parameters, out)
    threads = min(torch.get_num_threads(), len(work))
    if threads < 2:
        _change(work)
    else:
        list(_pool(os.getpid(), threads).map(_change, [work[first::threads] for first in range(threads)]))
    return out


def _work(images: Tensor, rows: Tensor, parameters: AugmentationParameters, out: Tensor) -> list[Work]:
    stored = images.numpy()
    mixes = np.zeros((len(rows), 3, 4), np.float32)
    mixes[:, :, :3] = colour_mixes(parameters).numpy()
    return list(
        zip(
            [stored[row] for row in rows.tolist()],
            warps(parameters, images.shape[1]).numpy(),
            parameters.sides.tolist(),
            mixes,
            mean_grey_weights(parameters).tolist(),
            out.numpy(),
            strict=True,
        )
    )


def _change(work: list[Work]) -> None:
    red_share, green_share, blue_share = GREY
    for image, warp, side, mix, weight, out in work:
        small = cv2.warpAffine(image, warp, (side, side), None, WARP_FLAGS, cv2.BORDER_CONSTANT)
        full = cv2.resize(small, image.shape[:2], None, 0, 0, cv2.INTER_LINEAR)
        red, green, blue, _ = cv2.mean(full)
        mix[:, 3] = weight * (red_share * red + green_share * green + blue_share * blue)
        cv2.transform(full, mix, out)


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """A pool that is kept for the next batch. A forked process, which has none of its threads, gets another."""
    return ThreadPoolExecutor(threads)
