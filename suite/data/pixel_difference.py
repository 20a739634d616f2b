"""How far the pixels of two images are apart, for many pairs at a time."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

CELLS = 8  # rows and columns of mean colours
_BLOCK_BYTES = 2_000_000  # of pixels that are compared at a time: about a processor's cache
_ROUNDING = 1.0  # grey levels by which rounding can make two mean colours differ more than they do
_TURNED = 256 * 64 * 64  # pixels whose mean colours are computed at a time


class PixelComparison:
    """Tells which pairs of images have nearly the same pixels.

    The mean colours of 8 x 8 cells are compared first. They differ by no more than the pixels do, so they rule out a
    pair without reading its pixels. They are computed for the images that are asked for only.
    """

    def __init__(self, images: Images, most: float) -> None:
        """Prepare the comparison of any of ``images``, uint8 (images, side, side, 3).

        Args:
            images: Of at least 8 pixels a side.
            most: The largest mean difference of nearly the same pixels, in grey levels from 0 to 255.
        """
        self._images, self._most = images, most
        self._colours = np.zeros((len(images), CELLS * CELLS * 3), np.uint8)
        self._known = np.zeros(len(images), np.bool_)
        sizes = np.diff([*np.arange(CELLS) * images.shape[1] // CELLS, images.shape[1]])
        shares = np.outer(sizes, sizes) / images.shape[1] ** 2  # of the pixels, in each cell
        self._weights = (np.tile(shares.ravel(), 3) / 3).astype(np.float32)

    def alike(self, ones: Indices, others: Indices) -> Flags:
        """Whether the mean absolute difference of the pixels is at most ``most``, for each pair, (pairs,)."""
        self._compute_colours(np.concatenate([ones, others]))
        apart = _absolute_difference(self._colours[ones], self._colours[others]).astype(np.float32)
        alike = apart @ self._weights <= self._most + _ROUNDING
        for pairs in _blocks(np.flatnonzero(alike), _BLOCK_BYTES // self._images[0].nbytes):
            alike[pairs] = mean_differences(self._images, ones[pairs], others[pairs]) <= self._most
        return np.asarray(alike)

    def _compute_colours(self, images: Indices) -> None:
        missing = np.unique(images[~self._known[images]])
        for some in _blocks(missing, _TURNED // self._images[0, ..., 0].size):
            channels = np.moveaxis(self._images[some].astype(np.float32), 3, 0)
            colours = [cell_means(channel, CELLS, CELLS).reshape(len(some), -1) for channel in channels]
            self._colours[some] = np.concatenate(colours, axis=1).round()
        self._known[missing] = True


def mean_differences(images: Images, ones: Indices, others: Indices) -> npt.NDArray[np.float64]:
    """The mean absolute difference of the pixels of each pair, (pairs,), in grey levels."""
    pixels = images[0].size
    apart = _absolute_difference(
        images[ones].reshape(len(ones), pixels), images[others].reshape(len(ones), pixels)
    )
    return np.asarray(apart.sum(axis=1, dtype=np.int64) / pixels)


def cell_means(grey: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """The mean of each cell of a grid over images of one channel, (n, side, side) to (n, rows, columns)."""
    side = grey.shape[1]
    tops, lefts = np.arange(rows) * side // rows, np.arange(columns) * side // columns
    sums = np.add.reduceat(np.add.reduceat(grey, tops, axis=1), lefts, axis=2)
    areas = np.diff([*tops, side])[:, None] * np.diff([*lefts, side])
    return np.asarray(sums / areas, dtype=np.float32)


def _absolute_difference(one: Images, other: Images) -> Images:
    """The absolute difference in 8 bits, several times as fast as in 16."""
    larger = np.maximum(one, other)
    larger -= np.minimum(one, other)
    return larger


def _blocks(indices: Indices, size: int) -> Iterator[Indices]:
    size = max(1, size)
    return (indices[start : start + size] for start in range(0, len(indices), size))
