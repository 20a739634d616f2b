"""Augmentation image by image with OpenCV, in bytes: several times as fast as torch on a processor."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from suite.augmentation.changes import Changes
from suite.augmentation.transforms import GREY, colour_mixes, mean_grey_weights, warps

# Torch's number of threads is a trial's share of the machine; OpenCV by itself would take all of it.
cv2.setNumThreads(1)

HOW = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def augment_with_opencv(images: Tensor, rows: Tensor, changes: Changes) -> Tensor:
    """Change each image as drawn, on as many threads as torch has.

    Args:
        images: uint8 (n, side, side, 3) on the CPU; only what is asked for is read.
        rows: int64 (b,), which of them.
        changes: of b images.

    Returns:
        uint8 (b, side, side, 3) on the CPU.
    """
    out = torch.empty((len(rows), *images.shape[1:]), dtype=torch.uint8)
    change = _changing(images, rows, changes, out.numpy())
    threads = min(torch.get_num_threads(), len(rows))
    if threads < 2:
        change(range(len(rows)))
    else:
        shares = [range(first, len(rows), threads) for first in range(threads)]
        list(_pool(os.getpid(), threads).map(change, shares))
    return out


def _changing(
    images: Tensor, rows: Tensor, changes: Changes, out: npt.NDArray[np.uint8]
) -> Callable[[range], None]:
    """The function that changes some images of the batch and writes them into ``out``."""
    side = images.shape[1]
    stored, chosen, sides = images.numpy(), rows.tolist(), changes.sides.tolist()
    places = warps(changes, side).numpy()
    mean_grey = mean_grey_weights(changes).tolist()
    colours = np.zeros((len(chosen), 3, 4), np.float32)
    colours[:, :, :3] = colour_mixes(changes).numpy()
    red, green, blue = GREY

    def change(which: range) -> None:
        for i in which:
            small = cv2.warpAffine(
                stored[chosen[i]], places[i], (sides[i],) * 2, flags=HOW, borderMode=cv2.BORDER_REPLICATE
            )
            full = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
            mean = cv2.mean(full)
            grey = red * mean[0] + green * mean[1] + blue * mean[2]
            colours[i, :, 3] = mean_grey[i] * grey
            cv2.transform(full, colours[i], dst=out[i])

    return change


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Kept for the next batch, but not by a process that was forked, which has none of its threads."""
    return ThreadPoolExecutor(threads)
