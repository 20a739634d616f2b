"""Copies in a set: images with the same pixels, and images that look alike, such as a recompressed copy."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.data.disjoint_sets import DisjointSets
from suite.data.pixel_difference import PixelComparison, cell_means

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
#: Called with what is done to a set, and with how many of how many images or pairs are done.
OnCopyProgress = Callable[[str, int, int], None]

READING = "looking for exact copies, images"
HASHING = "looking for similar images, images"
COMPARING = "comparing similar images, pairs"
CELLS = 8  # rows and columns of comparisons in a perceptual hash
#: The number of bits, of 128, in which the hashes of look-alikes may differ. It is below the number of bands, 8, so
#: that at least one band is equal. 95 % of images differ from their copy at JPEG quality 75 in at most 5 bits, faces
#: of different people in at least 12.
MOST_BITS = 7
#: The largest mean difference of look-alikes' pixels, 0 to 255.
MOST_DIFFERENCE = 10.0
#: The number of comparisons, of 128, in which the cells of an image must differ by more than a grey level. The hash
#: of an image with less in it, such as two plain halves, says nothing, so only its exact copies are found.
LEAST_CLEAR = 48
#: A band that more images share is skipped, because it does not distinguish them; their other bands do.
LARGEST_GROUP = 5_000
_BATCH = 512 * 64 * 64  # pixels that are hashed at a time
_PAIRS = 1024  # whose pixels are compared at a time


@dataclass(frozen=True)
class Copies:
    """Which images of a set are copies of each other. A copy of a copy is one, too.

    Attributes:
        groups: The lowest index among the copies of each image and itself, (images,). Images with equal numbers are
            exact copies or look-alikes, or are linked by such.
        equal: The lowest index among the images with the same pixels, (images,).
        plain: The number of different images with too little in them to look alike, such as a plain colour.
    """

    groups: Indices
    equal: Indices
    plain: int = 0

    @property
    def exact(self) -> Flags:
        """Whether another image has the same pixels, (images,)."""
        return (np.bincount(self.equal) > 1)[self.equal]

    @property
    def copied(self) -> Flags:
        """Whether another image is an exact copy or a look-alike, (images,)."""
        return (np.bincount(self.groups) > 1)[self.groups]


def tell_nobody(what: str, done: int, total: int) -> None:
    """Take progress without showing it."""


def find_copies(images: Images, told: OnCopyProgress = tell_nobody) -> Copies:
    """Find all copies in a set.

    The time grows with the number of images, and with the square of the number that share a band, which
    ``LARGEST_GROUP`` bounds. Pairs are not stored, so memory grows with the number of images only.

    Args:
        images: uint8 (n, side, side, 3).
        told: Called often, in three stages.
    """
    numbers = same_pixels(images, told)
    _, firsts = np.unique(numbers, return_index=True)
    equal = firsts.astype(np.int64)[numbers]
    sets = DisjointSets(len(images))
    for index in np.flatnonzero(equal != np.arange(len(equal))).tolist():
        sets.join(int(equal[index]), index)
    plain = len(firsts)  # a foreign store may hold images that have too few pixels for the cells
    if images.shape[1] > CELLS:
        plain = _join_look_alikes(images, np.sort(firsts).astype(np.int64), sets, told)
    return Copies(sets.firsts(np.arange(len(images))), equal, plain)


def same_pixels(images: Images, told: OnCopyProgress = tell_nobody) -> Indices:
    """Number the images so that equal numbers mean equal pixels, (images,)."""
    digests = []
    for done, image in enumerate(images, start=1):
        digests.append(hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest())
        told(READING, done, len(images))
    _, numbers = np.unique(np.array(digests, dtype="S16"), return_inverse=True)
    return numbers.astype(np.int64)


def difference_hashes(
    images: Images, chosen: Indices, told: OnCopyProgress = tell_nobody
) -> tuple[Hashes, Flags]:
    """Compute a perceptual hash of each image: whether brightness rises from cell to cell, across and down.

    Args:
        images: uint8 (images, side, side, 3), of at least 9 pixels a side.
        chosen: The indices of the images to hash, (n,).
        told: Called after each batch.

    Returns:
        uint64 (n, 2), and whether the image has enough in it for its hash to say something, (n,). The hashes of
        images that look alike differ in few bits.
    """
    hashes = np.empty((len(chosen), 2), dtype=np.uint64)
    clear = np.empty(len(chosen), dtype=np.bool_)
    batch = max(1, _BATCH // (images.shape[1] * images.shape[2]))
    for start in range(0, len(chosen), batch):
        red, green, blue = np.moveaxis(images[chosen[start : start + batch]].astype(np.float32), 3, 0)
        grey = red + green + blue
        across, down = cell_means(grey, CELLS, CELLS + 1), cell_means(grey, CELLS + 1, CELLS)
        rises = np.stack([np.diff(across, axis=2), np.diff(down, axis=1)], axis=1).reshape(len(grey), -1)
        hashes[start : start + batch] = np.packbits(rises > 0, axis=1).view(np.uint64)
        clear[start : start + batch] = (np.abs(rises) > 3).sum(
            1
        ) >= LEAST_CLEAR  # 3: the sum of three channels
        told(HASHING, min(start + batch, len(chosen)), len(chosen))
    return hashes, clear


def _join_look_alikes(images: Images, distinct: Indices, sets: DisjointSets, told: OnCopyProgress) -> int:
    """Join the images that look alike, among ``distinct``, of which no two are equal.

    Two hashes that differ in fewer bits than there are bands of 16 bits share a band, so only images with a common
    band are compared.

    Returns:
        The number of images that were left out because they are too plain.
    """
    hashes, clear = difference_hashes(images, distinct, told)
    distinct, hashes = distinct[clear], hashes[clear]
    bands = hashes.view(np.uint16)
    compared = np.stack([_is_compared(band) for band in bands.T], axis=1)
    total = sum(_count_of_pairs(band[own]) for band, own in zip(bands.T, compared.T, strict=True))
    pixels, done = PixelComparison(images, MOST_DIFFERENCE), 0
    for number, band in enumerate(bands.T):
        for looked_at, one, other in _near(hashes, band, compared[:, number]):
            before = (bands[one, :number] == bands[other, :number]) & compared[one, :number]
            is_new = ~before.any(axis=1)  # else the pair was looked at in an earlier band
            ones, others = distinct[one[is_new]], distinct[other[is_new]]
            for start in range(0, len(ones), _PAIRS):
                _join_alike(ones[start : start + _PAIRS], others[start : start + _PAIRS], pixels, sets)
                told(COMPARING, done + looked_at * start // len(ones), total)
            done += looked_at
            told(COMPARING, done, total)
    return int((~clear).sum())


def _join_alike(ones: Indices, others: Indices, pixels: PixelComparison, sets: DisjointSets) -> None:
    """Join the pairs whose pixels are nearly the same; those that are joined already are not compared."""
    apart = sets.firsts(ones) != sets.firsts(others)
    ones, others = ones[apart], others[apart]
    if len(ones):
        alike = pixels.alike(ones, others)
        for one, other in zip(ones[alike].tolist(), others[alike].tolist(), strict=True):
            sets.join(one, other)


def _count_of_pairs(band: npt.NDArray[np.uint16]) -> int:
    """The number of pairs with the same value."""
    sizes = np.unique(band, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _is_compared(band: npt.NDArray[np.uint16]) -> Flags:
    """Whether an image is compared with those that have the same value of a band: 2 to ``LARGEST_GROUP``; (n,)."""
    _, values, sizes = np.unique(band, return_inverse=True, return_counts=True)
    return np.asarray(((sizes > 1) & (sizes <= LARGEST_GROUP))[values])


def _near(
    hashes: Hashes, band: npt.NDArray[np.uint16], compared: Flags
) -> Iterator[tuple[int, Indices, Indices]]:
    """Yield all pairs with the same value of a band and similar hashes, some at a time.

    Yields the number of pairs that were looked at, and of those with similar hashes the indices of one and of the
    other.

    Args:
        hashes: (n, 2).
        band: A band of them, (n,).
        compared: What ``_is_compared`` says of it, (n,).
    """
    order = np.argsort(band, kind="stable")
    across, down = hashes[order].T.copy()
    _, starts, sizes = np.unique(band[order], return_index=True, return_counts=True)
    positions = np.flatnonzero(compared[order])
    ends = np.repeat(starts + sizes, sizes)[positions]
    apart = 0
    while True:  # neighbours in the order of the band, then next-but-one neighbours, ...
        apart += 1
        inside = positions + apart < ends
        positions, ends = positions[inside], ends[inside]
        if not len(positions):
            return
        # Most pairs already differ in the first half of the hash.
        bits = np.bitwise_count(across[positions] ^ across[positions + apart])
        near = positions[bits <= MOST_BITS]
        bits = bits[bits <= MOST_BITS] + np.bitwise_count(down[near] ^ down[near + apart])
        near = near[bits <= MOST_BITS]
        yield len(positions), order[near], order[near + apart]
