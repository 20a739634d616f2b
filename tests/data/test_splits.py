"""Random splits and folds: their shares, and neither a person nor copies of an image in two of them."""

from collections import Counter

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from suite.data.splits import fold_numbers, number_persons, number_units, random_splits, subject_splits
from tests.support.subjects import SPLITS, in_two_splits, people, seeds

#: The numbers of groups of copies, for images at random.
copies_of = st.lists(st.integers(0, 40), min_size=12, max_size=120).map(np.array)


def as_names(copies: np.ndarray) -> list[str]:
    return [f"copy {number}" for number in copies]


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


@settings(max_examples=30)
@given(copies_of, seeds)
def test_a_random_split_keeps_copies_together_and_its_shares(copies: np.ndarray, seed: int) -> None:
    groups = Counter(copies.tolist())
    assume(len(groups) >= 3)
    splits = random_splits(len(copies), seed, copies)
    counts = Counter(splits.tolist())
    assert set(counts) == set(SPLITS)
    assert sum(counts.values()) == len(copies)
    assert not in_two_splits(as_names(copies), splits)
    assert (splits == random_splits(len(copies), seed, copies)).all()
    for held_out in ("val", "test"):
        assert abs(counts[held_out] - len(copies) / 10) <= max(groups.values()) + 0.5


@settings(max_examples=30)
@given(people(), seeds, st.data())
def test_people_with_copies_of_each_other_are_in_one_split_and_one_fold(
    subjects: list[str], seed: int, data: st.DataObject
) -> None:
    numbers = np.arange(len(subjects))
    for one, other in data.draw(st.lists(st.tuples(*[st.integers(0, len(subjects) - 1)] * 2), max_size=8)):
        numbers[numbers == numbers[one]] = numbers[other]
    units, sizes = number_units(number_persons(subjects)[0], numbers, 3)
    assume(np.count_nonzero(sizes) >= 3 and not in_two_splits(as_names(numbers), units))
    splits, folds = subject_splits(subjects, seed, numbers), fold_numbers(subjects, 3, seed, numbers)
    assert set(splits.tolist()) == set(SPLITS)
    for apart in (splits, folds):
        assert not in_two_splits(subjects, apart)
        assert not in_two_splits(as_names(numbers), apart)
    for held_out in ("val", "test"):
        assert abs((splits == held_out).sum() - len(subjects) / 10) <= sizes.max() + 0.5
    in_fold = np.bincount(folds)[1:]
    assert in_fold.max() - in_fold.min() <= sizes.max()


@settings(max_examples=30)
@given(people(), seeds)
def test_where_nothing_is_a_copy_splits_are_those_of_a_set_nobody_searched(
    subjects: list[str], seed: int
) -> None:
    alone = np.random.default_rng(seed).permutation(len(subjects))
    assert (random_splits(len(subjects), seed, alone) == random_splits(len(subjects), seed)).all()
    assert (subject_splits(subjects, seed, alone) == subject_splits(subjects, seed)).all()
    assert (fold_numbers(subjects, 3, seed, alone) == fold_numbers(subjects, 3, seed)).all()


def test_random_splits_are_those_of_earlier_versions() -> None:
    order = np.random.default_rng(7).permutation(100)
    splits = random_splits(100, 7)
    assert set(splits[order[:10]]) == {"val"}
    assert set(splits[order[10:20]]) == {"test"}
    assert set(splits[order[20:]]) == {"train"}


def test_a_few_copies_move_only_a_few_images() -> None:
    copies = np.arange(1_000)
    copies[[5, 17, 300]] = [900, 901, 902]
    assert (random_splits(1_000, 0, copies) != random_splits(1_000, 0)).sum() <= 6


@settings(max_examples=30)
@given(st.integers(3, 60), seeds)
def test_a_set_of_nothing_but_copies_is_split_all_the_same(count: int, seed: int) -> None:
    same = np.zeros(count, dtype=int)
    assert (random_splits(count, seed, same) == random_splits(count, seed)).all()
    assert set(fold_numbers([""] * count, 3, seed, same).tolist()) == {1, 2, 3}
