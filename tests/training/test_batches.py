"""The batches of an epoch: a single image at the end joins the batch before it, and nothing else changes."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.data.dataset import Dataset, LabelledImages
from suite.data.identities import Identities
from suite.errors import RequestError
from suite.networks import build_network
from suite.training.batches import batches, count_batches
from suite.training.elastic import RECALIBRATION_BATCH, recalibrate
from suite.training.fit import fit
from suite.training.pretraining import IdentityFit
from suite.trial import Network, TrialConfig

CONFIG = TrialConfig(
    widths=(2,) * 5,
    depths=(1,) * 5,
    resolution=32,
    epochs=1,
    batch_size=32,
    shift_pixels=0,
    precision="float32",
)


def shortened(dataset: Dataset, count: int) -> Dataset:
    splits = {name: part.first(2) for name, part in dataset.splits.items()}
    splits["train"] = dataset.splits["train"].first(count)
    return dataclasses.replace(dataset, splits=splits)


@given(st.integers(1, 300), st.integers(1, 70))
def test_batches_are_those_of_torch_unless_the_last_is_a_single_image(count: int, size: int) -> None:
    order = torch.randperm(count)
    made, plain = batches(order, size), torch.split(order, size)
    assert torch.equal(torch.cat(list(made)), order)
    assert count_batches(count, size) == len(made)
    if len(plain[-1]) > 1 or size == 1 or count == 1:
        assert [part.tolist() for part in made] == [part.tolist() for part in plain]
    else:
        assert [len(part) for part in made] == [size] * (len(made) - 1) + [size + 1]


@pytest.mark.parametrize("network", ["compact", "resnet50"])
def test_33_images_train_in_batches_of_32(network: Network, dataset: Dataset) -> None:
    training = fit(dataclasses.replace(CONFIG, network=network), shortened(dataset, 33), threads=1)
    assert next(training).validation.mae > 0
    assert training._steps == 1


@pytest.mark.parametrize(("count", "size"), [(1, 32), (2, 1)])
def test_a_batch_that_can_only_be_one_image_is_refused_in_a_sentence(
    count: int, size: int, dataset: Dataset
) -> None:
    config = dataclasses.replace(CONFIG, network="resnet50", batch_size=size)
    with pytest.raises(
        RequestError, match=r"batch of one image at 32 pixels .* use at least 2 training images"
    ):
        next(fit(config, shortened(dataset, count), threads=1))


def identities(dataset: Dataset, count: int) -> Identities:
    part = dataset.splits["train"].first(count)
    part = dataclasses.replace(part, labels=torch.arange(count) % 2)
    return Identities(part, part.first(3), count=2, resolution=32)


def test_33_images_of_people_train_in_batches_of_32(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, network="resnet50")
    assert next(IdentityFit(config, identities(dataset, 33), threads=1)).epoch == 1
    with pytest.raises(RequestError, match="batch of one image"):
        next(IdentityFit(dataclasses.replace(config, batch_size=1), identities(dataset, 2), threads=1))


def test_statistics_are_measured_without_a_batch_of_one(dataset: Dataset) -> None:
    sizes: list[int] = []
    network = build_network(CONFIG, 101)
    network.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    train = dataset.splits["train"]
    rows = train.rows.repeat(3)[: RECALIBRATION_BATCH + 1]
    part = LabelledImages(train.images, rows, train.labels, train.deviations)
    recalibrate(network, part, "float32", torch.device("cpu"))
    assert sizes == [RECALIBRATION_BATCH + 1]
