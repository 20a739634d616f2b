"""The methods that the paper compares, and two that the field expects beside them.

A method is an output layer, a loss and a prediction; ``METHODS`` has each under the word that
``TrialConfig.method`` and a search space use. To add one, write its functions and add a row.
"""

from collections.abc import Mapping

from suite.methods.heads import Coral, Head, one_a_bin, one_a_threshold, one_value
from suite.methods.label_distributions import (
    dex_loss,
    dldl_loss,
    dldl_v2_loss,
    estimate,
    expectation_loss,
    mean_variance_loss,
    softmax,
)
from suite.methods.method import LossParts, LossWeights, Method, Truth
from suite.methods.ranking import rank_cross_entropy_loss, rank_squared_loss, ranked_label
from suite.methods.regression import absolute_loss, mapped_label, squared_loss
from suite.trial import MethodName

__all__ = ["METHODS", "Head", "LossParts", "LossWeights", "Method", "Truth"]

METHODS: Mapping[MethodName, Method] = {
    "mr-l1": Method("metric regression, L1", one_value, absolute_loss, mapped_label),
    "mr-l2": Method("metric regression, L2", one_value, squared_loss, mapped_label),
    "dex": Method("DEX: cross-entropy, then expectation", one_a_bin, dex_loss, estimate, softmax),
    "ranking-bce": Method(
        "Ranking, cross-entropy a threshold", one_a_threshold, rank_cross_entropy_loss, ranked_label
    ),
    "ranking-mse": Method(
        "Ranking, squared error a threshold", one_a_threshold, rank_squared_loss, ranked_label
    ),
    "dldl": Method("DLDL: KL to the label distribution", one_a_bin, dldl_loss, estimate, softmax),
    "er": Method("expectation regression, L1", one_a_bin, expectation_loss, estimate, softmax),
    "dldl-v2": Method("DLDL-v2: KL and L1 of the expectation", one_a_bin, dldl_v2_loss, estimate, softmax),
    "mean-variance": Method("mean-variance loss", one_a_bin, mean_variance_loss, estimate, softmax),
    "coral": Method("CORAL: rank-consistent thresholds", Coral, rank_cross_entropy_loss, ranked_label),
}
