"""What each method reads from its outputs, and the output layers themselves."""

from itertools import pairwise
from typing import get_args

import pytest
import torch
from coral_pytorch.layers import CoralLayer
from coral_pytorch.losses import coral_loss
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.methods import METHODS, LossWeights, Targets
from suite.methods.heads import Coral
from suite.methods.labels import LabelSet, nearest_bin, ranking_targets
from suite.trial import MethodName

AGES = LabelSet(0, 100, 1)
SCORES = LabelSet(1, 5, 0.1)


def test_every_word_of_a_trial_is_a_method() -> None:
    assert set(METHODS) == set(get_args(MethodName))


@pytest.mark.parametrize(
    ("method", "columns"),
    [("mr-l1", 1), ("mr-l2", 1), ("ranking-bce", 100), ("ranking-mse", 100), ("coral", 100), ("dex", 101)],
)
def test_output_layers_have_as_many_outputs_as_their_method_needs(method: str, columns: int) -> None:
    assert METHODS[method].head(7, 101)(torch.zeros(2, 7)).shape == (2, columns)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("label_set", [AGES, SCORES])
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**20), scale=st.floats(0.01, 100))
def test_estimates_stay_within_the_label_range(
    method: str, label_set: LabelSet, seed: int, scale: float
) -> None:
    torch.manual_seed(seed)
    head = METHODS[method].head(6, label_set.bins)
    estimates = METHODS[method].decode(head(scale * torch.randn(8, 6)), label_set)
    assert (estimates >= label_set.low - 1e-4).all()
    assert (estimates <= label_set.high + 1e-4).all()


@given(st.floats(0, 100))
def test_ranking_reads_back_the_bin_that_its_targets_say(label: float) -> None:
    labels = torch.tensor([label])
    logits = 2 * ranking_targets(labels, AGES) - 1
    read = METHODS["ranking-bce"].decode(logits, AGES)
    assert read.item() == AGES.values[nearest_bin(labels, AGES)].item()


def test_ranking_counts_outputs_over_a_half_even_where_they_are_not_in_order() -> None:
    logits = torch.tensor([[1.0, -1.0, 2.0, -3.0]])
    assert METHODS["ranking-mse"].decode(logits, LabelSet(1, 3, 0.5)).item() == 2.0


@pytest.mark.parametrize("method", METHODS)
def test_a_broken_network_gives_no_estimate(method: str) -> None:
    outputs = METHODS[method].head(3, 101)(torch.zeros(2, 3)).detach()
    outputs[1, 0] = torch.nan
    assert METHODS[method].decode(outputs, AGES).isnan().tolist() == [False, True]


def test_metric_regression_starts_in_the_middle_of_the_range() -> None:
    assert METHODS["mr-l2"].decode(torch.zeros(1, 1), SCORES).item() == pytest.approx(3.0)
    assert METHODS["mr-l2"].decode(torch.tensor([[9.0]]), AGES).item() == pytest.approx(100, abs=1e-3)


def test_coral_agrees_with_its_authors_package() -> None:
    ours, theirs = Coral(6, 21), CoralLayer(6, 21)
    assert torch.equal(ours.biases, theirs.coral_bias)
    theirs.coral_weights.weight = ours.score.weight
    features = torch.randn(5, 6)
    logits = ours(features)
    assert torch.allclose(logits, theirs(features))
    label_set, labels = LabelSet(0, 20, 1), torch.tensor([0.0, 3.0, 11.0, 19.0, 20.0])
    oracle = coral_loss(logits, ranking_targets(labels, label_set))
    loss = METHODS["coral"].loss(logits, Targets(labels, torch.ones(5)), label_set, LossWeights())
    assert loss.total.item() == pytest.approx(oracle.item(), rel=1e-5)


def test_coral_answers_in_order_where_its_biases_fall() -> None:
    logits = Coral(6, 21)(torch.randn(4, 6))
    assert all((later <= earlier).all() for earlier, later in pairwise(logits.T))
