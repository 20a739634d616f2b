"""Disjoint sets: numbers that are joined pair by pair, such as images and their copies (union-find)."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


class DisjointSets:
    """The numbers from 0 to ``count`` - 1, each in a set of its own until it is joined with others.

    A set is known by its lowest number, so that the order of joining does not matter.
    """

    def __init__(self, count: int) -> None:
        self._lower = np.arange(count, dtype=np.int64)  # a lower number of the same set, or the number itself

    def first(self, number: int) -> int:
        """Return the lowest number in the set of a number."""
        lower = self._lower
        while (below := int(lower[number])) != number:
            lower[number] = lower[below]  # halves the way for the next search
            number = below
        return number

    def firsts(self, numbers: Indices) -> Indices:
        """Return the lowest number in the set of each number, (n,)."""
        found = self._lower[numbers]
        while not np.array_equal(below := self._lower[found], found):
            found = below
        self._lower[numbers] = found
        return found

    def join(self, one: int, other: int) -> None:
        """Make one set of the sets of two numbers."""
        one, other = self.first(one), self.first(other)
        self._lower[max(one, other)] = min(one, other)
