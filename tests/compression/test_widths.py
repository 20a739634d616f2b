"""From a budget and channel scores to widths."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.compression.widths import ranked_widths, uniform_widths
from suite.errors import RequestError
from suite.measure.profiling import cost
from suite.presets import PRESETS
from suite.trial import TrialConfig

THIN = TrialConfig(widths=PRESETS["thin"].widths, depths=PRESETS["thin"].depths, resolution=32)


def test_the_largest_uniform_network_within_thins_half_is_tiny() -> None:
    def cost_of(widths: tuple[int, ...]) -> int:
        return cost(dataclasses.replace(THIN, widths=widths), 101, "params")

    assert uniform_widths(THIN.widths, cost_of, 934_869) == PRESETS["tiny"].widths
    below = uniform_widths(THIN.widths, cost_of, 934_868)
    assert cost_of(below) < 934_869
    with pytest.raises(RequestError, match=r"the smallest network that pruning can leave, of widths \(8, 8"):
        uniform_widths(THIN.widths, cost_of, 1000)


def test_ranking_removes_the_least_important_channels() -> None:
    scores = [np.full(16, 5.0), np.linspace(1, 0.1, 32), np.full(20, 3.0)]
    assert ranked_widths(scores, sum, 68) == (16, 32, 20)
    assert ranked_widths(scores, sum, 60) == (16, 24, 20)
    assert ranked_widths(scores, sum, 43) == (16, 8, 16)
    assert ranked_widths(scores, sum, 24) == (8, 8, 8)
    with pytest.raises(RequestError):
        ranked_widths(scores, sum, 23)


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=5),
    st.integers(0, 1000),
    st.integers(0, 2**31),
)
def test_ranked_widths_fit_and_one_more_block_would_not(sizes: list[int], share: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = [np.sort(rng.random(size))[::-1] for size in sizes]
    least, most = sum(min(size, 8) for size in sizes), sum(sizes)
    allowed = least + (most - least) * share // 1000
    widths = ranked_widths(scores, sum, allowed)
    assert sum(widths) <= allowed
    assert all(width == size or width % 8 == 0 for width, size in zip(widths, sizes, strict=True))
    if sum(widths) < most:
        assert allowed - sum(widths) < 8
