import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import RequestError
from suite.methods.labels import (
    LabelSet,
    exceedance,
    expectation,
    nearest_bin,
    ranking_targets,
    target_distribution,
)

AGES = LabelSet(0, 100, 1)
SCORES = LabelSet(1, 5, 0.1)


def test_ages_have_101_bins_and_scores_41() -> None:
    assert (AGES.bins, SCORES.bins) == (101, 41)
    assert SCORES.values[[0, 1, -1]].tolist() == pytest.approx([1.0, 1.1, 5.0])


@pytest.mark.parametrize("wrong", [(0, 100, 0), (5, 5, 1), (10, 0, 1), (0, 1, 0.3), (0, 10, -1)])
def test_a_range_without_whole_steps_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(RequestError, match="label_step"):
        LabelSet(*wrong)


@given(label=st.floats(0, 100), deviation=st.floats(0, 50))
def test_targets_are_distributions_that_follow_the_gaussian(label: float, deviation: float) -> None:
    target = target_distribution(torch.tensor([label]), torch.tensor([deviation]), AGES)[0]
    assert target.isfinite().all()
    assert target.sum().item() == pytest.approx(1, abs=1e-5)
    assert abs(int(target.argmax()) - label) <= 0.5 + 1e-4


@given(label=st.floats(20, 80), deviation=st.floats(1, 4))
def test_the_expectation_of_a_target_is_its_label(label: float, deviation: float) -> None:
    target = target_distribution(torch.tensor([label]), torch.tensor([deviation]), AGES)
    assert expectation(target, AGES).item() == pytest.approx(label, abs=0.01)


def test_a_target_equals_the_gaussian_written_out() -> None:
    target = target_distribution(torch.tensor([30.4]), torch.tensor([2.5]), AGES)[0]
    weights = [math.exp(-((age - 30.4) ** 2) / (2 * 2.5**2)) for age in range(101)]
    assert target.tolist() == pytest.approx([w / sum(weights) for w in weights], abs=1e-6)


def test_a_deviation_of_zero_puts_all_mass_on_the_nearest_bin() -> None:
    target = target_distribution(torch.tensor([41.2, 0.0]), torch.zeros(2), AGES)
    assert target[0, 41] == 1
    assert target[1, 0] == 1


def test_two_equally_near_bins_share_the_mass() -> None:
    target = target_distribution(torch.tensor([7.5]), torch.zeros(1), AGES)[0]
    assert target[[7, 8]].tolist() == [0.5, 0.5]


@given(label=st.floats(0, 100))
def test_the_nearest_bin_is_the_one_at_the_smallest_distance(label: float) -> None:
    chosen = int(nearest_bin(torch.tensor([label]), AGES)[0])
    distances = [abs(age - label) for age in range(101)]
    assert distances[chosen] == pytest.approx(min(distances), abs=1e-5)


def test_the_nearest_bin_of_scores_and_of_labels_outside() -> None:
    scores = torch.tensor([1.0, 1.26, 3.34, 5.0, 5.7, 0.2])
    assert nearest_bin(scores, SCORES).tolist() == [0, 3, 23, 40, 40, 0]


@given(label=st.floats(0, 100), deviation=st.floats(0.1, 20))
def test_exceedance_is_the_sum_of_the_bins_above(label: float, deviation: float) -> None:
    distribution = target_distribution(torch.tensor([label]), torch.tensor([deviation]), AGES)
    above = exceedance(distribution)[0]
    by_hand = [sum(distribution[0, k + 1 :].tolist()) for k in range(100)]
    assert above.tolist() == pytest.approx(by_hand, abs=1e-5)
    assert (above.diff() <= 0).all()


@given(st.integers(20, 80), st.floats(-0.45, 0.45))
def test_ranking_targets_are_the_limit_of_1_minus_cdf_as_the_deviation_goes_to_0(
    age: int, off: float
) -> None:
    """The paper's analysis: Ranking learns the label distribution of a vanishing deviation."""
    label = torch.tensor([age + off])
    targets = ranking_targets(label, AGES)
    gaps = [
        (exceedance(target_distribution(label, torch.tensor([deviation]), AGES)) - targets).abs().max().item()
        for deviation in (4.0, 2.0, 1.0, 0.5, 0.1, 0.0)
    ]
    assert gaps[0] > 0.3
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(gaps))
    assert gaps[-1] == 0


@given(st.integers(0, 100))
def test_ranking_targets_of_a_bin_are_as_many_ones_as_bins_below_it(age: int) -> None:
    targets = ranking_targets(torch.tensor([float(age)]), AGES)[0]
    assert targets.tolist() == [1.0] * age + [0.0] * (100 - age)
