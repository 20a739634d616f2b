"""What an elastic training costs: networks of a step, and their mean multiply-adds."""

import dataclasses
import math
from collections.abc import Sequence
from itertools import product
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.model.elastic_cost import choices, elastic_cost, expected_macs
from suite.measure.profiling import profile_trial
from suite.runs.info import RunInfo
from suite.trial import TrialConfig
from tests.support.synthetic_runs import run_info

ROW: dict[str, Any] = {
    "id": "elastic", "seed": 0, "status": "finished", "widths": [8, 4], "depths": [1, 2], "resolution": 32,
    "epochs_run": 3, "train_images": 500, "macs": 1_000_000, "val_mae_years": 7.0, "seconds": 12.0,
}  # fmt: skip


def info(vary: Any = None, **sharing: Any) -> RunInfo:
    return dataclasses.replace(run_info(4, 2), search={"sharing": sharing, "vary": vary})


def counted(widths: Sequence[int], depths: Sequence[int], side: int) -> float:
    """The convolutions and batch normalisations of one network, layer by layer."""
    total, entering = 0, 3
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for _ in range(depth):
            total += (9 * entering * width + 2 * width) * (side >> stage) ** 2
            entering = width
    return total


stages = st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=3, unique=True), min_size=3, max_size=3)
shallow = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=2, unique=True), min_size=3, max_size=3)


@given(stages, shallow, st.sampled_from([16, 40, 64]))
def test_the_mean_over_a_space_is_that_of_all_its_networks(
    widths: list[list[int]], depths: list[list[int]], side: int
) -> None:
    each = [counted(w, d, side) for w in product(*widths) for d in product(*depths)]
    assert expected_macs(widths, depths, side) == pytest.approx(fmean(each))


@pytest.mark.slow
def test_it_is_within_three_percent_of_what_fvcore_counts() -> None:
    for widths, depths in (((16, 32, 64, 128, 128), (2, 2, 3, 3, 3)), ((4, 8, 16, 16, 16), (1, 1, 1, 1, 1))):
        config = TrialConfig(widths=widths, depths=depths, resolution=40)
        estimate = expected_macs([[w] for w in widths], [[d] for d in depths], 40)
        assert estimate == pytest.approx(profile_trial(config, 101).macs, rel=0.03)


def test_a_step_trains_the_largest_the_smallest_and_the_random_slices() -> None:
    found = elastic_cost(ROW, info(random_slices=3))
    assert (found.networks, found.network_epochs) == (5, 15)
    assert found.macs == 5_000_000  # nothing varies, so all are the largest
    assert found.forward_macs == 5_000_000 * 500 * 3


def test_slices_cost_their_share_of_the_largest() -> None:
    vary = {
        "widths": [{"choices": [4, 8]}, {"choices": [4]}],
        "depths": [{"choices": [1]}, {"low": 1, "high": 2}],
    }
    largest, smallest = counted((8, 4), (1, 2), 32), counted((4, 4), (1, 1), 32)
    mean = fmean(counted((w, 4), (1, d), 32) for w in (4, 8) for d in (1, 2))
    found = elastic_cost(ROW, info(vary, random_slices=2))
    assert found.macs == pytest.approx(1_000_000 * (1 + (smallest + 2 * mean) / largest))


def test_all_images_are_used_where_no_number_is_given_and_never_more_than_there_are() -> None:
    assert elastic_cost({**ROW, "train_images": None}, info()).images == 4000
    assert elastic_cost({**ROW, "train_images": 10**6}, info()).images == 4000


@pytest.mark.parametrize(
    "widths",
    [
        {"choices": [[8, 4], [4, 4]]},
        [{"choices": [4, 8]}],
        [{"choices": [4, "<b>"]}, {"choices": [4]}],
        [{"low": 1, "high": 10**12}, {"choices": [4]}],
        [{"low": 4.0, "high": 8.0}, {"choices": [4]}],
        [{"low": 4, "high": 8, "step": 0}, {"choices": [4]}],
        [None, {"choices": []}],
    ],
)
def test_a_space_that_run_json_does_not_tell_leaves_the_multiply_adds_unknown(widths: Any) -> None:
    found = elastic_cost(ROW, info({"widths": widths}))
    assert math.isnan(found.forward_macs)
    assert found.network_epochs == 9


@pytest.mark.parametrize("row", [{"widths": [0, 0]}, {"depths": [1]}, {"widths": [], "depths": []}])
def test_a_row_of_no_network_leaves_the_multiply_adds_unknown(row: dict[str, Any]) -> None:
    assert math.isnan(elastic_cost({**ROW, **row}, info()).macs)


def test_ranges_have_their_steps() -> None:
    vary = {"widths": [{"low": 4, "high": 12, "step": 4}, {"low": 2, "high": 3}]}
    assert choices(ROW, info(vary), "widths") == [[4, 8, 12], [2, 3]]
    assert choices(ROW, info(vary), "depths") == [[1], [2]]
