"""People in the images of a set, drawn by hypothesis, for tests of splits."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

SPLITS = ("train", "val", "test")
seeds = st.integers(0, 2**31)


@st.composite
def people(draw: st.DrawFn) -> list[str]:
    """Who is in each image, in any order; some have no name, and there are three at least."""
    sizes = draw(st.lists(st.integers(1, 30), min_size=3, max_size=60))
    unnamed = draw(st.integers(0, 5))
    images = [f"p{person}" for person, size in enumerate(sizes) for _ in range(size)] + [""] * unnamed
    return draw(st.permutations(images))


def in_two_splits(subjects: Sequence[str], splits: np.ndarray) -> set[str]:
    seen: dict[str, set[str]] = {}
    for subject, split in zip(subjects, splits, strict=True):
        if subject:
            seen.setdefault(subject, set()).add(split)
    return {subject for subject, found in seen.items() if len(found) > 1}
