"""Protocols: how the images of a data set are split into train, val and test.

The protocol decides much of a measured error, so a store records it as a sentence. Where the set names the
people in its images, ``random`` is the only protocol here that can place a person in two splits. Copies of an image
stay together in whatever is random; the set's own splits and folds are taken as they are published.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from suite.data.dataset_reader import ImageRecord
from suite.data.shares_text import copies_given_up, fold_text, shares_text, validation_text
from suite.data.splits import (
    HELD_OUT,
    Indices,
    Splits,
    fold_numbers,
    number_persons,
    number_units,
    random_splits,
    subject_splits,
)
from suite.errors import RequestError

#: official: the split of the set's authors; random: by image; subjects: by person; folds: one fold for test.
ProtocolName = Literal["official", "random", "subjects", "folds"]


@dataclass(frozen=True)
class SplitRequest:
    """The protocol that the user chose."""

    protocol: ProtocolName | None = None  # None: the first that the set allows of official, subjects, random
    fold: int | None = None  # from 1: the fold that is the test split
    folds: int | None = None  # the number of folds; None: the official folds
    seed: int = 0

    @property
    def chosen(self) -> ProtocolName | None:
        """The protocol; a fold or a number of folds without one implies "folds"."""
        return "folds" if self.protocol is None and (self.fold or self.folds) else self.protocol


DEFAULT = SplitRequest()


@dataclass(frozen=True)
class Assignment:
    """The split of each image, and the protocol as a sentence."""

    splits: Splits  # (images,) of "train", "val" and "test"
    protocol: str


def assign(
    records: Sequence[ImageRecord], request: SplitRequest, name: str, copies: Indices | None = None
) -> Assignment:
    """Split the images of a set.

    Args:
        records: At least three.
        request: The protocol.
        name: The set's name, for errors.
        copies: The number of the group of copies of each image, (records,); None: none are known. Groups stay
            together in random splits, unless too few would be left to split.

    Raises:
        RequestError: The set does not support the protocol, or a split would have no images.
    """
    _check(request, name)
    protocol = request.chosen or _default(records)
    if protocol == "official":
        assigned = _official(records, request, name, copies)
    elif protocol == "folds":
        assigned = _folds(records, request, name, copies)
    elif protocol == "subjects":
        assigned = _by_subject(records, request, name, copies)
    else:
        assigned = _random(records, request, copies)
    for split in ("train", "val", "test"):
        if not (assigned.splits == split).any():
            raise RequestError(
                f"{protocol} splits of {name} leave no {split} images among {len(records):,}; choose another "
                "--protocol"
            )
    return assigned


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
    if any(record.split for record in records):  # if only some have one, the user must learn of it
        return "official"
    return "subjects" if _people_recur(records) else "random"


def _people_recur(records: Sequence[ImageRecord]) -> bool:
    """Whether a person appears in several images."""
    named = [record.subject for record in records if record.subject]
    return len(set(named)) < len(named)


def _official(
    records: Sequence[ImageRecord], request: SplitRequest, name: str, copies: Indices | None
) -> Assignment:
    splits = np.array([record.split for record in records], dtype=object)
    lacking = sum(record.split is None for record in records)
    if lacking:
        counted = "none" if lacking == len(records) else f"{lacking:,} of {len(records):,} images without one"
        raise RequestError(
            f"{name} has no official split ({counted}); choose --protocol random or subjects, or folds"
        )
    if (splits == "val").any() and not (splits == "test").any():
        splits[splits == "val"] = "test"
        start = "Official split of the set, whose test images are missing: its validation is for test; validation is"
        return _with_validation(splits, records, request.seed, start, copies)
    if (splits == "val").any():
        return Assignment(splits, "Official splits of the set.")
    start = "Official split of the set into train and test; validation is"
    return _with_validation(splits, records, request.seed, start, copies)


def _folds(
    records: Sequence[ImageRecord], request: SplitRequest, name: str, copies: Indices | None
) -> Assignment:
    fold, given_up = request.fold or 0, ""
    subjects = [record.subject for record in records]
    persons, images_of = number_persons(subjects)
    if request.folds is None:
        numbers = np.array([record.fold or 0 for record in records], dtype=np.int64)
        if not numbers.all():
            raise RequestError(f"{name} has no official folds for all of its images; add --folds 5")
        count, whose = int(numbers.max()), "official folds"
    else:
        people = len(images_of)
        if not 2 <= request.folds <= people:
            raise RequestError(
                f"{request.folds} folds of {name} cannot be made; choose 2 to {people:,}, as many as it has "
                f"{'people' if _people_recur(records) else 'images'}"
            )
        numbers = fold_numbers(subjects, request.folds, request.seed, copies)
        given_up = copies_given_up(persons, copies, request.folds)
        count, whose = request.folds, f"folds by {'person' if _people_recur(records) else 'image'}"
    if not 1 <= fold <= count:
        raise RequestError(f"{name} has {count} folds; choose --fold from 1 to {count}")
    splits = np.where(numbers == fold, "test", "train").astype(object)
    seeded = f" (seed {request.seed})" if request.folds else ""
    share = fold_text(splits, persons, copies, request.folds) if request.folds else ""
    start = f"Fold {fold} of {count} {whose}{seeded} is the test split{share}; validation is"
    assigned = _with_validation(splits, records, request.seed, start, copies)
    return replace(assigned, protocol=assigned.protocol + given_up)


def _with_validation(
    splits: Splits, records: Sequence[ImageRecord], seed: int, start: str, copies: Indices | None
) -> Assignment:
    """Turn a share of training into validation, by person where people appear in several images."""
    train = np.flatnonzero(splits == "train")
    persons, _ = number_persons([records[int(index)].subject for index in train])
    units, images = number_units(persons, None if copies is None else copies[train], 2)
    target = max(1, round(len(train) * HELD_OUT))
    taken = 0
    if np.count_nonzero(images) > 1:
        order = np.random.default_rng(seed).permutation(len(images))
        for unit in order[images[order] > 0]:
            if taken == 0 or 2 * taken + images[unit] < 2 * target:
                splits[train[units == unit]] = "val"
                taken += int(images[unit])
    by = "by person" if _people_recur(records) else "by image"
    of_train = None if copies is None else copies[train]
    share = validation_text(taken / max(1, len(train)), persons, of_train)
    given_up = copies_given_up(persons, of_train, 2, "of training")
    return Assignment(splits, f"{start} a random {share}, {by} (seed {seed}).{given_up}")


def _by_subject(
    records: Sequence[ImageRecord], request: SplitRequest, name: str, copies: Indices | None
) -> Assignment:
    subjects = [record.subject for record in records]
    if not any(subjects):
        raise RequestError(f"{name} does not say who is pictured; choose --protocol random")
    persons, images_of = number_persons(subjects)
    people = len(images_of)
    if people < 3:
        raise RequestError(
            f"{name} names {people} different subjects, and a split in three by person needs at least 3; "
            "choose --protocol random"
        )
    splits = subject_splits(subjects, request.seed, copies)
    return Assignment(
        splits,
        f"Random split of the people (seed {request.seed}), of the images {shares_text(splits, persons, copies)}; "
        f"nobody is in two splits.{copies_given_up(persons, copies, 3)}",
    )


def _random(records: Sequence[ImageRecord], request: SplitRequest, copies: Indices | None) -> Assignment:
    if not any(record.subject for record in records):
        about = "the set names no subjects, so one person may be in several splits"
    elif _people_recur(records):
        about = "by image although the set names its subjects, so one person is in several splits"
    else:
        about = "each person has one image"
    splits, persons = random_splits(len(records), request.seed, copies), np.arange(len(records))
    return Assignment(
        splits,
        f"Random split of the images (seed {request.seed}), {shares_text(splits, persons, copies)}; {about}."
        f"{copies_given_up(persons, copies, 3)}",
    )
