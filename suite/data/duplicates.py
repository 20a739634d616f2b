"""Images that are the same, and images that look the same, such as one that was compressed twice."""

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

CELLS = 8  # rows and columns of differences in a perceptual hash
#: Bits of 128 that two hashes may differ in: fewer than the 8 bands, so that one band at least is equal.
#: Nineteen in twenty images differ from their copy at JPEG quality 75 in 5 bits at most, and faces of
#: different people in 12 at least.
NEAR = 7
#: Mean difference of the pixels, of 255, that images of like hashes may have.
ALIKE = 10.0
#: A band that more images share than this tells them not apart; another of their bands does.
LARGEST_GROUP = 5_000
_BATCH = 512


def same_pixels(images: Images) -> Indices:
    """A number for each image, (images,): equal where all pixels are."""
    digests = [hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest() for image in images]
    _, numbers = np.unique(np.array(digests, dtype="S16"), return_inverse=True)
    return numbers.astype(np.int64)


def difference_hashes(images: Images) -> Hashes:
    """A perceptual hash of each image: whether it grows brighter from cell to cell, across and down.

    Args:
        images: uint8 (n, side, side, 3), of at least 9 pixels a side.

    Returns:
        (n, 2); the bits that differ between two images are few where they look alike.
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
    """Pairs of images of different parts that look the same without being the same, ascending.

    Args:
        images: uint8 (n, side, side, 3).
        parts: (n,), such as the number of the split.
    """
    hashes = difference_hashes(images)
    candidates = sorted(set(_near(hashes, parts)))
    return [(i, j) for i, j in candidates if 0 < _difference(images[i], images[j]) <= ALIKE]


def _near(hashes: Hashes, parts: Indices) -> Iterator[tuple[int, int]]:
    """Pairs of different parts with hashes that are near, the lower index first; some more than once.

    Two hashes that differ in fewer bits than there are bands of 16 share a band, so that only images that
    do are compared.
    """
    for band in hashes.view(np.uint16).T:
        order = np.argsort(band, kind="stable")
        ascending = band[order]
        _, group, sizes = np.unique(ascending, return_inverse=True, return_counts=True)
        places = np.flatnonzero((sizes > 1)[group] & (sizes <= LARGEST_GROUP)[group])
        apart = 0
        while len(places):  # all neighbours in the order of the band, then the next but one, ...
            apart += 1
            places = places[places + apart < len(order)]
            places = places[ascending[places + apart] == ascending[places]]
            one, other = order[places], order[places + apart]
            differing = np.bitwise_count(hashes[one] ^ hashes[other]).sum(1, dtype=np.int64)
            near = (differing <= NEAR) & (parts[one] != parts[other])
            for a, b in zip(one[near].tolist(), other[near].tolist(), strict=True):
                yield min(a, b), max(a, b)


def _difference(one: Images, other: Images) -> float:
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())
