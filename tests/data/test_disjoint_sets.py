"""Disjoint sets: what is joined is together, through others, too, and in whatever order it was joined."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.data.disjoint_sets import DisjointSets

COUNT = 12
pairs = st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)), max_size=20)


def firsts(joined: list[tuple[int, int]]) -> list[int]:
    sets = DisjointSets(COUNT)
    for one, other in joined:
        sets.join(one, other)
    found = sets.firsts(np.arange(COUNT)).tolist()
    assert found == [sets.first(number) for number in range(COUNT)]
    return found


def reachable(start: int, joined: list[tuple[int, int]]) -> set[int]:
    """All numbers that a path of pairs leads to."""
    found = {start}
    while more := {b for pair in joined for a, b in (pair, pair[::-1]) if a in found} - found:
        found |= more
    return found


@settings(max_examples=40)
@given(pairs)
def test_a_set_is_what_a_path_of_pairs_connects(joined: list[tuple[int, int]]) -> None:
    assert firsts(joined) == [min(reachable(number, joined)) for number in range(COUNT)]


@settings(max_examples=40)
@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_joining_does_not_matter(joined: list[tuple[int, int]], random: object) -> None:
    shuffled = [pair[::-1] for pair in joined]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert firsts(shuffled) == firsts(joined)


def test_a_long_chain_is_one_set() -> None:
    sets = DisjointSets(2_000)
    for number in reversed(range(1_999)):
        sets.join(number, number + 1)
    assert not sets.firsts(np.arange(2_000)).any()
