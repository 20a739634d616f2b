"""Random splits and folds of images, by image or by person; copies of an image stay together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from suite.data.disjoint_sets import DisjointSets
from suite.data.store import Split

Splits = npt.NDArray[np.object_]  # of "train", "val" and "test"
Indices = npt.NDArray[np.int64]

#: The share of the images for validation, and the share for test.
HELD_OUT = 0.1


def random_splits(count: int, seed: int, copies: Indices | None = None) -> Splits:
    """Split ``count`` images at random: a tenth "val", a tenth "test", the rest "train"; (count,).

    Args:
        count: The number of images.
        seed: The same seed gives the same splits.
        copies: The number of the group of copies of each image, (count,); a group stays together, see
            ``number_units``.
    """
    return _split_units(*number_units(np.arange(count), copies, 3), seed)


def subject_splits(subjects: Sequence[str], seed: int, copies: Indices | None = None) -> Splits:
    """Split people at random: about a tenth of the images "val", a tenth "test", the rest "train".

    With enough people, a share differs from a tenth by at most half of the images of one person, or of several
    whom copies link.

    Args:
        subjects: The person in each image, of at least three people. Each image without a name ("") counts as
            a person of its own.
        seed: The same seed gives the same splits.
        copies: The number of the group of copies of each image, (images,); a group stays together, see
            ``number_units``.

    Returns:
        The split of each image, (images,).
    """
    return _split_units(*number_units(number_persons(subjects)[0], copies, 3), seed)


def fold_numbers(subjects: Sequence[str], folds: int, seed: int, copies: Indices | None = None) -> Indices:
    """Distribute people at random over folds of about the same number of images.

    Args:
        subjects: The person in each image, of at least ``folds`` people. Each image without a name counts as a
            person of its own.
        folds: The number of folds.
        seed: The same seed gives the same folds.
        copies: The number of the group of copies of each image, (images,); a group stays together, see
            ``number_units``.

    Returns:
        The fold of each image, counted from 1, (images,).
    """
    units, images = number_units(number_persons(subjects)[0], copies, folds)
    order = np.random.default_rng(seed).permutation(len(images))
    # Units with many images come first, so that those with few can even out the folds.
    order = order[np.argsort(-images[order], kind="stable")]
    sizes = np.zeros(folds, dtype=np.int64)
    fold_of_unit = np.empty(len(images), dtype=np.int64)
    for unit in order:
        fold = int(np.argmin(sizes))
        sizes[fold] += images[unit]
        fold_of_unit[unit] = fold + 1
    return np.asarray(fold_of_unit[units])


def number_persons(subjects: Sequence[str]) -> tuple[Indices, Indices]:
    """Return the number of the person in each image, (images,), and each person's count of images, (persons,).

    Each image without a name ("") counts as a person of its own.
    """
    # A null byte keeps the generated names apart from those of the set.
    names = [subject or f"\0{number}" for number, subject in enumerate(subjects)]
    _, persons, counts = np.unique(names, return_inverse=True, return_counts=True)
    return persons.astype(np.int64), counts.astype(np.int64)


def number_units(persons: Indices, copies: Indices | None, fewest: int) -> tuple[Indices, Indices]:
    """Number the units of a split: a person, or several who are linked because a copy of an image names another.

    A unit has the lowest number of its persons, so that a set without copies is split as if nobody had looked for
    them.

    Args:
        persons: The number of the person in each image, or of the image where a split is by image, (images,).
        copies: The number of the group of copies of each image, (images,); None: none are known.
        fewest: Copies are ignored where they would leave fewer units than this, because nothing could be split.

    Returns:
        The number of the unit of each image, (images,), and the count of images of each number, (numbers,), which is
        0 for a person whose unit has the number of another.
    """
    units = persons if copies is None else _linked(persons, copies)
    if len(np.unique(units)) < fewest:
        units = persons
    return units, np.bincount(units, minlength=_above(persons))


def count_units(persons: Indices, copies: Indices) -> int:
    """Count the units that are left where copies stay together, however few; see ``number_units``."""
    return len(np.unique(_linked(persons, copies)))


def _linked(persons: Indices, copies: Indices) -> Indices:
    """The lowest person that copies link with the one in each image, (images,)."""
    order = np.argsort(copies, kind="stable")
    same = np.flatnonzero(copies[order][1:] == copies[order][:-1])
    linked = DisjointSets(_above(persons))
    for one, other in zip(persons[order[same]].tolist(), persons[order[same + 1]].tolist(), strict=True):
        linked.join(one, other)
    return linked.firsts(persons)


def _above(persons: Indices) -> int:
    """The number above all of them; 0 where there are none."""
    return int(persons.max(initial=-1)) + 1


def _split_units(units: Indices, images: Indices, seed: int) -> Splits:
    """Split units, which ``number_units`` made, at random; (images,)."""
    target = max(1, round(len(units) * HELD_OUT))
    order = np.random.default_rng(seed).permutation(len(images))
    members: dict[Split, list[int]] = {"val": [], "test": [], "train": []}
    filled = {"val": 0, "test": 0}
    for unit in order[images[order] > 0]:
        for split in ("val", "test"):
            # A unit is added where that brings the share closer to its target.
            if 2 * filled[split] + images[unit] < 2 * target:
                members[split].append(int(unit))
                filled[split] += int(images[unit])
                break
        else:
            members["train"].append(int(unit))
    _leave_none_empty(members, images)
    split_of_unit = np.empty(len(images), dtype=object)
    for split, chosen in members.items():
        split_of_unit[chosen] = split
    splits: Splits = split_of_unit[units]
    return splits


def _leave_none_empty(members: dict[Split, list[int]], images: Indices) -> None:
    """Give each empty split the unit with the fewest images from the split with the most units."""
    for split in members:
        if not members[split]:
            largest = max(members.values(), key=len)
            least = min(largest, key=lambda unit: (images[unit], unit))
            largest.remove(least)
            members[split].append(least)
