"""Copies: equal and similar images are found among all, in whatever order they come."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from suite.data import duplicates, pixel_difference
from suite.data.disjoint_sets import DisjointSets
from suite.data.duplicates import Copies, difference_hashes, find_copies, same_pixels
from tests.support.pictures import compressed, faces


def grouped(copies: Copies) -> set[frozenset[int]]:
    """The groups of two images or more."""
    members: dict[int, set[int]] = {}
    for index, group in enumerate(copies.groups.tolist()):
        members.setdefault(group, set()).add(index)
    return {frozenset(group) for group in members.values() if len(group) > 1}


def test_same_pixels_are_found_by_all_of_them() -> None:
    images = faces(6)
    images[3] = images[1]
    images[5] = images[1]
    images[5, -1, -1, -1] ^= 1
    numbers = same_pixels(images)
    assert numbers[3] == numbers[1]
    assert len(set(numbers.tolist())) == 5


def test_a_perceptual_hash_outlives_compression_and_brightness_but_no_other_face() -> None:
    images = faces(40)
    darker = np.stack([compressed((image * 0.95).astype(np.uint8), 90) for image in images])
    (hashes, clear), (others, _) = (difference_hashes(one, np.arange(40)) for one in (images, darker))
    distances = np.bitwise_count(hashes[:, None] ^ others[None]).sum(2)
    assert clear.all()
    assert np.diag(distances).max() <= duplicates.MOST_BITS
    assert (distances + 999 * np.eye(40)).min() > 25


def test_look_alikes_are_found_among_all_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_BATCH", 7 * 48 * 48)
    originals = faces(30, seed=3)
    copies = np.stack([compressed(image, 90) for image in originals])
    images = np.concatenate([originals, copies, faces(30, seed=4)])
    found = find_copies(images)
    assert grouped(found) == {frozenset({n, n + 30}) for n in range(30)}
    assert not found.exact.any()
    assert found.copied.tolist() == [True] * 60 + [False] * 30


def test_a_copy_of_a_copy_is_in_its_group() -> None:
    image = faces(1)[0]
    brighter = [np.clip(image.astype(int) + 8 * n, 0, 255).astype(np.uint8) for n in range(4)]
    images = np.stack([*faces(3, seed=1), brighter[0], brighter[3], brighter[1], brighter[2], brighter[3]])
    assert np.abs(brighter[0].astype(int) - brighter[3]).mean() > duplicates.MOST_DIFFERENCE
    found = find_copies(images)
    assert found.groups.tolist() == [0, 1, 2, 3, 3, 3, 3, 3]
    assert found.equal.tolist() == [0, 1, 2, 3, 4, 5, 6, 4]
    assert found.exact.tolist() == [False, False, False, False, True, False, False, True]


def test_plain_pictures_do_not_look_alike_but_their_exact_copies_are_found() -> None:
    images = np.empty((12, 48, 48, 3), np.uint8)
    images[:] = (100 + np.arange(12))[:, None, None, None]
    images[:, :, 24:] += 60
    images[7] = images[3]
    assert grouped(find_copies(images)) == {frozenset({3, 7})}


def test_images_too_small_for_a_hash_have_exact_copies_only(recwarn: pytest.WarningsRecorder) -> None:
    images = faces(6, side=8)
    images[4] = images[1]
    assert grouped(find_copies(images)) == {frozenset({1, 4})}
    assert not recwarn


def test_one_picture_in_most_files_does_not_hide_the_other_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "LARGEST_GROUP", 5)
    missing, image = faces(2)
    images = np.stack([missing, image, *[missing] * 10, compressed(missing, 90), compressed(image, 90)])
    assert grouped(find_copies(images)) == {frozenset({0, *range(2, 13)}), frozenset({1, 13})}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_the_images_does_not_matter(kinds: list[int], random: object) -> None:
    pictures = [*faces(3), *(compressed(image, 80) for image in faces(3))]
    images = np.stack([pictures[kind] for kind in kinds])
    order = list(range(len(kinds)))
    random.shuffle(order)  # type: ignore[attr-defined]
    found = {frozenset(order[index] for index in group) for group in grouped(find_copies(images[order]))}
    assert found == grouped(find_copies(images))
    alike = {frozenset(n for n, kind in enumerate(kinds) if kind % 3 == face) for face in range(3)}
    assert found == {group for group in alike if len(group) > 1}


def recoloured(count: int, seed: int, side: int = 48) -> np.ndarray:
    """Pictures of one brightness and of many colours, whose hashes are equal or nearly so."""
    rng = np.random.default_rng(seed)
    grey = rng.integers(60, 190, (9, 9), dtype=np.uint8)
    base = np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BICUBIC)).astype(int)
    shift = rng.integers(-50, 51, (count, 8, 8)).repeat(side // 8, 1).repeat(side // 8, 2)
    return np.stack([base + shift, base - shift, base + 0 * shift], -1).clip(0, 255).astype(np.uint8)


def alike_pair_by_pair(images: np.ndarray) -> set[frozenset[int]]:
    """The groups by the rule itself, on every pair of images."""
    hashes, clear = difference_hashes(images, np.arange(len(images)))
    sets = DisjointSets(len(images))
    for one, other in combinations(range(len(images)), 2):
        bits = int(np.bitwise_count(hashes[one] ^ hashes[other]).sum())
        difference = np.abs(images[one].astype(np.int16) - images[other]).mean()
        near = clear[one] and clear[other] and bits <= duplicates.MOST_BITS
        if difference == 0 or (near and difference <= duplicates.MOST_DIFFERENCE):
            sets.join(one, other)
    groups = sets.firsts(np.arange(len(images)))
    return grouped(Copies(groups, groups))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([33, 48, 64]))
def test_the_groups_are_those_of_comparing_every_pair(seed: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = [*faces(5, seed, side), *recoloured(5, seed, 64)[:, :side, :side]]
    images = np.stack([*pictures, *(pictures[n] for n in rng.integers(0, 10, 20))]).astype(np.int16)
    for image in images:  # by up to about the difference that look-alikes may have
        image += rng.integers(-1, 2) * rng.integers(0, 13) + rng.integers(-4, 5, image.shape)
    images = images.clip(0, 255).astype(np.uint8)[rng.permutation(30)]
    assert grouped(find_copies(images)) == alike_pair_by_pair(images)


def test_the_colours_of_images_of_one_brightness_are_told_apart_without_reading_every_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = []
    monkeypatch.setattr(
        pixel_difference,
        "mean_differences",
        lambda images, ones, others: read.append(len(ones)) or np.zeros(len(ones)),
    )
    images = recoloured(300, seed=0)
    assert not find_copies(images).copied.any()
    assert not sum(read)


def test_a_long_comparison_says_how_many_pairs_are_left() -> None:
    told: list[tuple[str, int, int]] = []
    find_copies(recoloured(150, seed=0), lambda *what: told.append(what))
    for stage, total in ((duplicates.READING, 150), (duplicates.HASHING, 150)):
        assert [of for what, _, of in told if what == stage][-1] == total
    pairs = [(done, total) for what, done, total in told if what == duplicates.COMPARING]
    assert len(pairs) > 10
    assert pairs == sorted(pairs)
    assert pairs[-1][0] == pairs[-1][1]
    assert len({total for _, total in pairs}) == 1
