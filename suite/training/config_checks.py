"""Checks of a configuration before it trains."""

from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.methods import METHODS
from suite.trial import TrialConfig
from suite.trial_reading import check_requested


def check_config(config: TrialConfig, dataset: Dataset) -> None:
    """Refuse a configuration that cannot train on a data set.

    Raises:
        RequestError: Attribute or resolution differ, a number is out of range, or the warm-up is impossible.
    """
    if (config.attribute, config.resolution) != (dataset.attribute, dataset.resolution):
        raise RequestError(
            f"the configuration is for {config.attribute} at {config.resolution} pixels, the data set for "
            f"{dataset.attribute} at {dataset.resolution}; load the data set with the configuration's values"
        )
    if min(config.epochs, config.batch_size) < 1 or config.learning_rate <= 0:
        raise RequestError(
            f"epochs {config.epochs}, batch_size {config.batch_size} and learning_rate "
            f"{config.learning_rate:g} must all be above 0"
        )
    if config.warmup_epochs:
        _check_warmup(config)
    check_requested(config)


def _check_warmup(config: TrialConfig) -> None:
    if not 0 < config.warmup_epochs < config.epochs:
        raise RequestError(
            f"warmup_epochs is {config.warmup_epochs} of {config.epochs} epochs; it must be from 0 to "
            f"{config.epochs - 1}, so that method {config.method} trains at least one"
        )
    if config.warmup_method is None:
        raise RequestError(
            f"warmup_epochs is {config.warmup_epochs} and warmup_method is missing; name a method, or set "
            "warmup_epochs to 0"
        )
    if METHODS[config.warmup_method].head is not METHODS[config.method].head:
        shared = [word for word in METHODS if METHODS[word].head is METHODS[config.method].head]
        raise RequestError(
            f"warmup_method {config.warmup_method} has another output layer than method {config.method}; "
            f"choose {' or '.join(shared)}"
        )
