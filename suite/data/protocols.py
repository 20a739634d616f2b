"""How the images of a set are split into train, val and test.

Which split a figure was measured on decides most of it, so that a store says its protocol in a sentence.
Where the set says who is pictured, no protocol of ours but ``random`` has a person in two splits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from suite.data.dataset_reader import ImageRecord
from suite.data.store import Split
from suite.errors import RequestError

#: official: as the set's authors split it; random: by image; subjects: by person; folds: one of several.
ProtocolName = Literal["official", "random", "subjects", "folds"]
Splits = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]

#: One image in ten is for validation, one for test.
HELD_OUT = 0.1
#: Of what a protocol gives for training and testing alone, so much of training is for validation.
CARVED_OUT = 0.1


@dataclass(frozen=True)
class SplitRequest:
    """Which protocol to follow."""

    protocol: ProtocolName | None = None  # None: official, else by person, else random; as the set allows
    fold: int | None = None  # from 1: the fold that is the test split
    folds: int | None = None  # None: the official ones
    seed: int = 0

    @property
    def chosen(self) -> ProtocolName | None:
        """The protocol; asking for a fold is asking for folds."""
        return "folds" if self.protocol is None and (self.fold or self.folds) else self.protocol


DEFAULT = SplitRequest()


@dataclass(frozen=True)
class Assignment:
    """The split of each image, and the protocol in one sentence."""

    splits: Splits  # (images,) of "train", "val" and "test"
    protocol: str


def assign(records: Sequence[ImageRecord], request: SplitRequest, name: str) -> Assignment:
    """Split the images of a set.

    Args:
        records: at least three.
        request: the protocol.
        name: of the set, for errors.

    Raises:
        RequestError: the set does not allow the protocol, or it would leave a split without images.
    """
    _check(request, name)
    protocol = request.chosen or _default(records)
    if protocol == "official":
        assigned = _official(records, request, name)
    elif protocol == "folds":
        assigned = _folds(records, request, name)
    elif protocol == "subjects":
        assigned = _by_subject(records, request, name)
    else:
        assigned = _random(records, request)
    for split in ("train", "val", "test"):
        if not (assigned.splits == split).any():
            raise RequestError(
                f"{protocol} splits of {name} leave no {split} images among {len(records):,}; choose another "
                "--protocol"
            )
    return assigned


def random_splits(count: int, seed: int) -> Splits:
    """A random split for each of ``count`` images: a tenth "val", a tenth "test", the rest "train"."""
    held_out = max(1, round(count * HELD_OUT))
    splits = np.full(count, "train", dtype=object)
    order = np.random.default_rng(seed).permutation(count)
    splits[order[:held_out]] = "val"
    splits[order[held_out : 2 * held_out]] = "test"
    return splits


def subject_splits(subjects: Sequence[str], seed: int) -> Splits:
    """A random split of people: about a tenth of the images "val", a tenth "test", the rest "train".

    A share misses its tenth by half of the images of one person at most, where there are enough people.

    Args:
        subjects: who is in each image, of at least three people; one who is not named ("") is alone.
        seed: the same seed gives the same splits.
    """
    persons, images = _persons(subjects)
    target = max(1, round(len(subjects) * HELD_OUT))
    order = np.random.default_rng(seed).permutation(len(images))
    parts: dict[Split, list[int]] = {"val": [], "test": [], "train": []}
    filled = {"val": 0, "test": 0}
    for person in order:
        for split in ("val", "test"):
            # Taken where the share comes closer to its target by it.
            if 2 * filled[split] + images[person] < 2 * target:
                parts[split].append(int(person))
                filled[split] += int(images[person])
                break
        else:
            parts["train"].append(int(person))
    _leave_none_empty(parts, images)
    of_person = np.empty(len(images), dtype=object)
    for part, members in parts.items():
        of_person[members] = part
    splits: Splits = of_person[persons]
    return splits


def fold_numbers(subjects: Sequence[str], folds: int, seed: int) -> Indices:
    """The fold, from 1, of each image: people at random, in folds of about as many images.

    Args:
        subjects: who is in each image, of at least ``folds`` people; one who is not named is alone.
        folds: how many.
        seed: the same seed gives the same folds.
    """
    persons, images = _persons(subjects)
    order = np.random.default_rng(seed).permutation(len(images))
    order = order[np.argsort(-images[order], kind="stable")]  # the large ones first, then the gaps are filled
    held = np.zeros(folds, dtype=np.int64)
    of_person = np.empty(len(images), dtype=np.int64)
    for person in order:
        fold = int(np.argmin(held))
        held[fold] += images[person]
        of_person[person] = fold + 1
    return np.asarray(of_person[persons])


def _persons(subjects: Sequence[str]) -> tuple[Indices, Indices]:
    """The number of the person in each image, and the number of images of each person."""
    # A null byte keeps the made-up names apart from those of the set.
    names = [subject or f"\0{number}" for number, subject in enumerate(subjects)]
    _, persons, counts = np.unique(names, return_inverse=True, return_counts=True)
    return persons.astype(np.int64), counts.astype(np.int64)


def _leave_none_empty(parts: dict[Split, list[int]], images: Indices) -> None:
    """Give each empty part the person with the fewest images of the part with the most people."""
    for part in parts:
        if not parts[part]:
            largest = max(parts.values(), key=len)
            least = min(largest, key=lambda person: (images[person], person))
            largest.remove(least)
            parts[part].append(least)


def _check(request: SplitRequest, name: str) -> None:
    if request.seed < 0:
        raise RequestError(f"a seed of {request.seed} cannot be used; choose 0 or more")
    if request.chosen != "folds" and (request.fold or request.folds):
        raise RequestError(
            f"--fold and --folds go with --protocol folds, not {request.protocol}; leave one of them out"
        )
    if request.chosen == "folds" and request.fold is None:
        raise RequestError(f"folds of {name} need the one to test on; add --fold 1, or another from 1 up")


def _default(records: Sequence[ImageRecord]) -> ProtocolName:
    if any(record.split for record in records):  # of a part alone: to be told, not to be passed over
        return "official"
    return "subjects" if _recur(records) else "random"


def _recur(records: Sequence[ImageRecord]) -> bool:
    """Whether a person is in several images."""
    named = [record.subject for record in records if record.subject]
    return len(set(named)) < len(named)


def _official(records: Sequence[ImageRecord], request: SplitRequest, name: str) -> Assignment:
    splits = np.array([record.split for record in records], dtype=object)
    lacking = sum(record.split is None for record in records)
    if lacking:
        counted = "none" if lacking == len(records) else f"{lacking:,} of {len(records):,} images without one"
        raise RequestError(
            f"{name} has no official split ({counted}); choose --protocol random or subjects, or folds"
        )
    if (splits == "val").any():
        return Assignment(splits, "Official splits of the set.")
    return _carved(
        splits, records, request.seed, "Official split of the set into train and test; validation is"
    )


def _folds(records: Sequence[ImageRecord], request: SplitRequest, name: str) -> Assignment:
    fold = request.fold or 0
    if request.folds is None:
        numbers = np.array([record.fold or 0 for record in records], dtype=np.int64)
        if not numbers.all():
            raise RequestError(f"{name} has no official folds for all of its images; add --folds 5")
        count, whose = int(numbers.max()), "official folds"
    else:
        subjects = [record.subject for record in records]
        people = len(_persons(subjects)[1])
        if not 2 <= request.folds <= people:
            raise RequestError(
                f"{request.folds} folds of {name} cannot be made; choose 2 to {people:,}, as many as it has "
                f"{'people' if _recur(records) else 'images'}"
            )
        numbers = fold_numbers(subjects, request.folds, request.seed)
        count, whose = request.folds, f"folds by {'person' if _recur(records) else 'image'}"
    if not 1 <= fold <= count:
        raise RequestError(f"{name} has {count} folds; choose --fold from 1 to {count}")
    splits = np.where(numbers == fold, "test", "train").astype(object)
    seeded = f" (seed {request.seed})" if request.folds else ""
    start = f"Fold {fold} of {count} {whose}{seeded} is the test split; validation is"
    return _carved(splits, records, request.seed, start)


def _carved(splits: Splits, records: Sequence[ImageRecord], seed: int, start: str) -> Assignment:
    """Take validation out of training, by person where people recur."""
    train = np.flatnonzero(splits == "train")
    persons, images = _persons([records[int(index)].subject for index in train])
    target = max(1, round(len(train) * CARVED_OUT))
    taken = 0
    if len(images) > 1:
        for person in np.random.default_rng(seed).permutation(len(images)):
            if taken == 0 or 2 * taken + images[person] < 2 * target:
                splits[train[persons == person]] = "val"
                taken += int(images[person])
    by = "by person" if _recur(records) else "by image"
    share = f"{CARVED_OUT:.0%}".replace("%", " %")
    return Assignment(splits, f"{start} a random {share} of training, {by} (seed {seed}).")


def _by_subject(records: Sequence[ImageRecord], request: SplitRequest, name: str) -> Assignment:
    subjects = [record.subject for record in records]
    if not any(subjects):
        raise RequestError(f"{name} does not say who is pictured; choose --protocol random")
    people = len(_persons(subjects)[1])
    if people < 3:
        raise RequestError(
            f"{name} names {people} different subjects, and a split in three by person needs at least 3; "
            "choose --protocol random"
        )
    splits = subject_splits(subjects, request.seed)
    return Assignment(
        splits,
        f"Random split of the people (seed {request.seed}), about 80 % of the images for train, 10 % for "
        "validation, 10 % for test; nobody is in two splits.",
    )


def _random(records: Sequence[ImageRecord], request: SplitRequest) -> Assignment:
    if not any(record.subject for record in records):
        about = "the set names no subjects, so one person may be in several splits"
    elif _recur(records):
        about = "by image although the set names its subjects, so one person is in several splits"
    else:
        about = "each person has one image"
    return Assignment(
        random_splits(len(records), request.seed),
        f"Random split of the images (seed {request.seed}), 80 % train, 10 % validation, 10 % test; {about}.",
    )
