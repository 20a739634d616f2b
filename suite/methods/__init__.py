"""The paper's six methods, two of which also have a squared error, and two that are standard in the field.

The variants with a squared error are ``mr-l2`` and ``ranking-mse``; the standard ones mean-variance and CORAL.

A method is an output layer, a loss and a prediction. ``METHODS`` lists each under the name that
``TrialConfig.method`` and search spaces use. To add a method, write its functions and add a row.
"""

from collections.abc import Mapping

from suite.methods.heads import Coral, Head, per_bin, per_threshold, single_output
from suite.methods.label_distributions import (
    dex_loss,
    dldl_loss,
    dldl_v2_loss,
    estimate,
    expectation_loss,
    mean_variance_loss,
    softmax,
)
from suite.methods.method import LossParts, LossWeights, Method, Targets
from suite.methods.ranking import rank_cross_entropy_loss, rank_squared_loss, ranked_label
from suite.methods.regression import absolute_loss, mapped_label, squared_loss
from suite.trial import MethodName

__all__ = ["METHODS", "Head", "LossParts", "LossWeights", "Method", "Targets"]

METHODS: Mapping[MethodName, Method] = {
    "mr-l1": Method("metric regression, L1", single_output, absolute_loss, mapped_label),
    "mr-l2": Method("metric regression, L2", single_output, squared_loss, mapped_label),
    "dex": Method("DEX: cross-entropy, then expectation", per_bin, dex_loss, estimate, softmax),
    "ranking-bce": Method(
        "Ranking, cross-entropy a threshold", per_threshold, rank_cross_entropy_loss, ranked_label
    ),
    "ranking-mse": Method(
        "Ranking, squared error a threshold", per_threshold, rank_squared_loss, ranked_label
    ),
    "dldl": Method("DLDL: KL to the label distribution", per_bin, dldl_loss, estimate, softmax),
    "er": Method("expectation regression, L1", per_bin, expectation_loss, estimate, softmax),
    "dldl-v2": Method("DLDL-v2: KL and L1 of the expectation", per_bin, dldl_v2_loss, estimate, softmax),
    "mean-variance": Method("mean-variance loss", per_bin, mean_variance_loss, estimate, softmax),
    "coral": Method("CORAL: rank-consistent thresholds", Coral, rank_cross_entropy_loss, ranked_label),
}
