"""Random splits and folds: their shares, and no person in two of them."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suite.data.splits import fold_numbers, random_splits, subject_splits
from tests.support.subjects import SPLITS, in_two_splits, people, seeds


@given(st.integers(3, 500), seeds)
def test_a_random_split_has_a_tenth_in_each_part_held_out_and_none_empty(count: int, seed: int) -> None:
    splits = random_splits(count, seed).tolist()
    tenth = max(1, round(count / 10))
    assert splits.count("val") == splits.count("test") == tenth
    assert splits.count("train") == count - 2 * tenth >= 1


@given(people(), seeds)
def test_a_split_by_person_shares_nobody_and_leaves_nothing_out(subjects: list[str], seed: int) -> None:
    splits = subject_splits(subjects, seed)
    counts = Counter(splits.tolist())
    assert set(counts) == set(SPLITS)
    assert sum(counts.values()) == len(subjects)
    assert not in_two_splits(subjects, splits)
    assert (splits == subject_splits(subjects, seed)).all()
    largest = max(Counter(s for s in subjects if s).values())
    for held_out in ("val", "test"):
        # Half of a person's images, or the one person that a split needs; and what rounding takes.
        assert abs(counts[held_out] - len(subjects) / 10) <= largest + 0.5


@given(st.integers(60, 200), st.integers(1, 8), seeds)
def test_of_many_people_a_tenth_of_the_images_is_held_out(count: int, each: int, seed: int) -> None:
    subjects = [f"p{person}" for person in range(count) for _ in range(each)]
    counts = Counter(subject_splits(subjects, seed).tolist())
    for held_out in ("val", "test"):
        assert abs(counts[held_out] - len(subjects) / 10) <= each / 2 + 0.5


def test_another_seed_gives_another_split() -> None:
    subjects = [f"p{n // 3}" for n in range(90)]
    assert len({tuple(subject_splits(subjects, seed)) for seed in range(9)}) == 9
    assert len({tuple(fold_numbers(subjects, 5, seed)) for seed in range(9)}) == 9


@given(people(), st.integers(2, 6), seeds)
def test_folds_by_person_test_on_each_image_once(subjects: list[str], folds: int, seed: int) -> None:
    people_there = len({subject or n for n, subject in enumerate(subjects)})
    folds = min(folds, people_there)
    numbers = fold_numbers(subjects, folds, seed)
    assert set(numbers.tolist()) == set(range(1, folds + 1))
    assert not in_two_splits(subjects, numbers)
    counts = np.bincount(numbers, minlength=folds + 1)[1:]
    assert counts.max() - counts.min() <= max(Counter(s for s in subjects if s).values())
