"""Duplicates: images with the same pixels, and images that look alike, such as a recompressed copy."""

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

CELLS = 8  # rows and columns of comparisons in a perceptual hash
#: The number of bits, of 128, in which the hashes of look-alikes may differ. It is below the number of bands, 8, so
#: that at least one band is equal. 95 % of images differ from their copy at JPEG quality 75 in at most 5 bits, faces
#: of different people in at least 12.
MOST_BITS = 7
#: The largest mean difference of look-alikes' pixels, 0 to 255.
MOST_DIFFERENCE = 10.0
#: A band that more images share is skipped, because it does not distinguish them; their other bands do.
LARGEST_GROUP = 5_000
_BATCH = 512


def same_pixels(images: Images) -> Indices:
    """Number the images so that equal numbers mean equal pixels, (images,)."""
    digests = [hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest() for image in images]
    _, numbers = np.unique(np.array(digests, dtype="S16"), return_inverse=True)
    return numbers.astype(np.int64)


def difference_hashes(images: Images) -> Hashes:
    """Compute a perceptual hash of each image: whether brightness rises from cell to cell, across and down.

    Args:
        images: uint8 (n, side, side, 3), of at least 9 pixels a side.

    Returns:
        uint64 (n, 2). The hashes of images that look alike differ in few bits.
    """
    hashes = np.empty((len(images), 2), dtype=np.uint64)
    for start in range(0, len(images), _BATCH):
        red, green, blue = np.moveaxis(images[start : start + _BATCH].astype(np.float32), 3, 0)
        grey = red + green + blue
        across, down = _cells(grey, CELLS, CELLS + 1), _cells(grey, CELLS + 1, CELLS)
        brighter = np.stack([across[:, :, 1:] > across[:, :, :-1], down[:, 1:] > down[:, :-1]], axis=1)
        packed = np.packbits(brighter.reshape(len(grey), -1), axis=1)
        hashes[start : start + _BATCH] = packed.view(np.uint64)
    return hashes


def _cells(grey: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """The mean of each cell of a grid, (n, rows, columns)."""
    side = grey.shape[1]
    tops, lefts = np.arange(rows) * side // rows, np.arange(columns) * side // columns
    sums = np.add.reduceat(np.add.reduceat(grey, tops, axis=1), lefts, axis=2)
    areas = np.diff([*tops, side])[:, None] * np.diff([*lefts, side])
    return np.asarray(sums / areas, dtype=np.float32)


def alike_across(images: Images, parts: Indices) -> list[tuple[int, int]]:
    """Find pairs of images in different parts that look alike but are not equal, in ascending order.

    Args:
        images: uint8 (n, side, side, 3).
        parts: The part of each image, such as the number of its split, (n,).
    """
    hashes = difference_hashes(images)
    candidates = sorted(set(_near(hashes, parts)))
    return [(i, j) for i, j in candidates if 0 < _difference(images[i], images[j]) <= MOST_DIFFERENCE]


def _near(hashes: Hashes, parts: Indices) -> Iterator[tuple[int, int]]:
    """Yield pairs in different parts with similar hashes, the lower index first; some more than once.

    Two hashes that differ in fewer bits than there are bands of 16 bits share a band, so only images with a common
    band are compared.
    """
    for band in hashes.view(np.uint16).T:
        order = np.argsort(band, kind="stable")
        ascending = band[order]
        _, group, sizes = np.unique(ascending, return_inverse=True, return_counts=True)
        positions = np.flatnonzero((sizes > 1)[group] & (sizes <= LARGEST_GROUP)[group])
        apart = 0
        while len(positions):  # neighbours in the order of the band, then next-but-one neighbours, ...
            apart += 1
            positions = positions[positions + apart < len(order)]
            positions = positions[ascending[positions + apart] == ascending[positions]]
            one, other = order[positions], order[positions + apart]
            differing = np.bitwise_count(hashes[one] ^ hashes[other]).sum(1, dtype=np.int64)
            near = (differing <= MOST_BITS) & (parts[one] != parts[other])
            for a, b in zip(one[near].tolist(), other[near].tolist(), strict=True):
                yield min(a, b), max(a, b)


def _difference(one: Images, other: Images) -> float:
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())
