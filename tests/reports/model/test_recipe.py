"""The parts of a recipe that depend on the method, against the losses themselves."""

import pytest
import torch

from reports.model.recipe import WITH_KL, WITH_L1_WEIGHT
from suite.methods import METHODS, LossParts, LossWeights, Targets
from suite.methods.labels import LabelSet
from suite.trial import MethodName

LABELS = LabelSet(0, 20, 1)


def loss_of(method: MethodName, weights: LossWeights) -> LossParts:
    torch.manual_seed(0)
    outputs = METHODS[method].head(8, LABELS.bins)(torch.randn(4, 8))
    return METHODS[method].loss(
        outputs, Targets(torch.tensor([1.0, 5.0, 9.0, 17.0]), torch.full((4,), 2.0)), LABELS, weights
    )


@pytest.mark.parametrize("method", METHODS)
def test_methods_with_a_kl_are_those_whose_loss_reports_one(method: MethodName) -> None:
    assert (method in WITH_KL) == (not loss_of(method, LossWeights()).kl.isnan().item())


@pytest.mark.parametrize("method", METHODS)
def test_methods_with_an_l1_weight_are_those_whose_loss_depends_on_it(method: MethodName) -> None:
    light, heavy = (loss_of(method, LossWeights(lambda_l1=weight)).total.item() for weight in (0.1, 10.0))
    assert (method in WITH_L1_WEIGHT) == (light != heavy)
