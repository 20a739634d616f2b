"""Random splits and folds of images, by image or by person."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from suite.data.store import Split

Splits = npt.NDArray[np.object_]  # of "train", "val" and "test"
Indices = npt.NDArray[np.int64]

#: The share of the images for validation, and the share for test.
HELD_OUT = 0.1


def random_splits(count: int, seed: int) -> Splits:
    """Split ``count`` images at random: a tenth "val", a tenth "test", the rest "train"; (count,)."""
    held_out = max(1, round(count * HELD_OUT))
    splits = np.full(count, "train", dtype=object)
    order = np.random.default_rng(seed).permutation(count)
    splits[order[:held_out]] = "val"
    splits[order[held_out : 2 * held_out]] = "test"
    return splits


def subject_splits(subjects: Sequence[str], seed: int) -> Splits:
    """Split people at random: about a tenth of the images "val", a tenth "test", the rest "train".

    With enough people, a share differs from a tenth by at most half of the images of one person.

    Args:
        subjects: The person in each image, of at least three people. Each image without a name ("") counts as
            a person of its own.
        seed: The same seed gives the same splits.

    Returns:
        The split of each image, (images,).
    """
    persons, images = number_persons(subjects)
    target = max(1, round(len(subjects) * HELD_OUT))
    order = np.random.default_rng(seed).permutation(len(images))
    members: dict[Split, list[int]] = {"val": [], "test": [], "train": []}
    filled = {"val": 0, "test": 0}
    for person in order:
        for split in ("val", "test"):
            # A person is added where that brings the share closer to its target.
            if 2 * filled[split] + images[person] < 2 * target:
                members[split].append(int(person))
                filled[split] += int(images[person])
                break
        else:
            members["train"].append(int(person))
    _leave_none_empty(members, images)
    split_of_person = np.empty(len(images), dtype=object)
    for split, people in members.items():
        split_of_person[people] = split
    splits: Splits = split_of_person[persons]
    return splits


def fold_numbers(subjects: Sequence[str], folds: int, seed: int) -> Indices:
    """Distribute people at random over folds of about the same number of images.

    Args:
        subjects: The person in each image, of at least ``folds`` people. Each image without a name counts as a
            person of its own.
        folds: The number of folds.
        seed: The same seed gives the same folds.

    Returns:
        The fold of each image, counted from 1, (images,).
    """
    persons, images = number_persons(subjects)
    order = np.random.default_rng(seed).permutation(len(images))
    # People with many images come first, so that those with few can even out the folds.
    order = order[np.argsort(-images[order], kind="stable")]
    sizes = np.zeros(folds, dtype=np.int64)
    fold_of_person = np.empty(len(images), dtype=np.int64)
    for person in order:
        fold = int(np.argmin(sizes))
        sizes[fold] += images[person]
        fold_of_person[person] = fold + 1
    return np.asarray(fold_of_person[persons])


def number_persons(subjects: Sequence[str]) -> tuple[Indices, Indices]:
    """Return the number of the person in each image, (images,), and each person's count of images, (persons,).

    Each image without a name ("") counts as a person of its own.
    """
    # A null byte keeps the generated names apart from those of the set.
    names = [subject or f"\0{number}" for number, subject in enumerate(subjects)]
    _, persons, counts = np.unique(names, return_inverse=True, return_counts=True)
    return persons.astype(np.int64), counts.astype(np.int64)


def _leave_none_empty(members: dict[Split, list[int]], images: Indices) -> None:
    """Give each empty split the person with the fewest images from the split with the most people."""
    for split in members:
        if not members[split]:
            largest = max(members.values(), key=len)
            least = min(largest, key=lambda person: (images[person], person))
            largest.remove(least)
            members[split].append(least)
