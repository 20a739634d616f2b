"""Elastic trainings: what they learn, that they repeat, resume and refuse."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.methods import METHODS
from suite.networks.elastic import ElasticSpace
from suite.presets import Architecture
from suite.training.elastic import ElasticFit, Sharing, fit_elastic, recalibrate
from suite.training.evaluation import evaluate
from suite.training.fit import DivergedError
from suite.training.inputs import normalised
from suite.trial import EpochResult, MethodName, TrialConfig

SPACE = ElasticSpace(((4, 8), (4, 8), (4, 8), (8, 16), (8, 16)), ((1, 2), (1,), (1, 2), (1,), (1,)))
CONFIG = TrialConfig(resolution=32, epochs=2, batch_size=32, precision="float32", label_deviation=3.0)


def trained(dataset: Dataset, config: TrialConfig = CONFIG, sharing: Sharing | None = None) -> ElasticFit:
    training = fit_elastic(config, SPACE, dataset, sharing, threads=1, device="cpu")
    for _ in training:
        pass
    return training


def without_times(epochs: Sequence[EpochResult]) -> list[EpochResult]:
    return [dataclasses.replace(epoch, seconds=0.0, images_per_second=0.0) for epoch in epochs]


def test_largest_and_smallest_learn(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, epochs=12, learning_rate=0.01)
    training = fit_elastic(config, SPACE, dataset, threads=1)
    epochs = list(training)
    assert [epoch.epoch for epoch in epochs] == list(range(1, 13))
    ages = dataset.splits["val"].labels
    constant = float((ages - ages.median()).abs().mean())
    assert epochs[-1].validation.mae < 0.8 * constant
    assert training.smallest is not None
    assert training.smallest.mae < constant
    assert epochs[-1].train_kl > 0
    assert 0 < epochs[-1].train_l1 < epochs[0].train_l1


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains(dataset: Dataset, method: MethodName) -> None:
    training = trained(dataset, dataclasses.replace(CONFIG, method=method, epochs=1))
    assert training.evaluate(SPACE.smallest).mae < 100


def test_the_same_seed_gives_the_same_network_bit_for_bit(dataset: Dataset) -> None:
    once, again = trained(dataset).network.state_dict(), trained(dataset).network.state_dict()
    assert all(torch.equal(once[name], again[name]) for name in once)
    other = trained(dataset, dataclasses.replace(CONFIG, seed=1)).network.state_dict()
    assert any(not torch.equal(once[name], other[name]) for name in once)


def test_an_interrupted_training_goes_on_bit_for_bit(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, epochs=3)
    whole = fit_elastic(config, SPACE, dataset, threads=1)
    epochs = list(whole)
    first = fit_elastic(config, SPACE, dataset, threads=1)
    begun = [next(first)]
    state = first.state()
    second = fit_elastic(config, SPACE, dataset, threads=1)
    second.load_state(state)
    assert without_times([*begun, *second]) == without_times(epochs)
    ours, its = second.network.state_dict(), whole.network.state_dict()
    assert all(torch.equal(ours[name], its[name]) for name in ours)


def test_a_slice_with_recalibrated_statistics_is_what_was_evaluated(dataset: Dataset) -> None:
    training = trained(dataset)
    architecture = Architecture((4, 8, 4, 16, 8), (1, 1, 2, 1, 1))
    sliced = training.slice(architecture)
    assert not sliced.training
    again = evaluate(
        sliced,
        dataset.splits["val"],
        training.label_set,
        method=CONFIG.method,
        precision="float32",
        device=torch.device("cpu"),
    )
    assert again == training.evaluate(architecture)


def test_recalibrated_statistics_are_those_of_the_images(dataset: Dataset) -> None:
    network = trained(dataset).network.slice(SPACE.smallest)
    part = dataset.splits["val"]
    recalibrate(network, part, "float32", torch.device("cpu"))
    with torch.no_grad():
        convolved = network.features[0](normalised(part.images[part.rows]))
    norm = network.features[1]
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.momentum == 0.1
    torch.testing.assert_close(norm.running_mean, convolved.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm.running_var, convolved.var((0, 2, 3)), atol=1e-5, rtol=1e-4)


def test_a_last_batch_that_is_not_full_is_left_out(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, batch_size=19, epochs=1)  # 96 images: 5 batches, and one image more
    assert next(fit_elastic(config, SPACE, dataset, threads=1)).train_loss < 1e6


def test_a_loss_that_is_not_finite_ends_the_training(dataset: Dataset) -> None:
    with pytest.raises(DivergedError, match="NaN or infinite"):
        trained(dataset, dataclasses.replace(CONFIG, learning_rate=1e12, method="mr-l2", epochs=20))


@pytest.mark.parametrize(
    ("config", "sharing", "said"),
    [
        ({"network": "vgg16"}, {}, "only the compact network shares weights"),
        ({"backbone": "weights.safetensors"}, {}, "takes no backbone"),
        ({"resolution": 64}, {}, "load the data set with the configuration's values"),
        ({"batch_size": 97}, {}, "lower batch_size to 96 or less"),
        ({"batch_size": 1}, {}, "needs at least 2 images"),
        ({"epochs": 0}, {}, "must all be above 0"),
        ({}, {"random_slices": -1}, "must be 0 or more"),
        ({}, {"distillation": 1.5}, "from 0 to 1"),
        ({}, {"recalibration_images": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_shared_is_refused(
    dataset: Dataset, config: dict[str, Any], sharing: dict[str, Any], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        fit_elastic(dataclasses.replace(CONFIG, **config), SPACE, dataset, Sharing(**sharing))
