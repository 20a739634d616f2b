import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import RequestError
from suite.labels import LabelSet, expectation, target_distribution

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
