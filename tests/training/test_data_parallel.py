"""Elastic trainings whose batches are shared by processes: what they agree on with one process, and how closely."""

import copy
import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch import Tensor, nn

from search_spaces.sharing_checks import IMAGES_OF_A_WORKER
from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.networks.elastic import ElasticSpace, batch_norm_of_one_process
from suite.training.data_parallel import FEWEST_IMAGES, DataParallel, pooled
from suite.training.elastic import ElasticFit, fit_elastic
from suite.training.inputs import augmented
from suite.trial import TrialConfig

SPACE = ElasticSpace(((4, 8), (4, 8), (4, 8), (8, 16), (8, 16)), ((1, 2), (1,), (1, 2), (1,), (1,)))
CONFIG = TrialConfig(resolution=32, epochs=3, batch_size=32, precision="float32", label_deviation=3.0)
#: Of a loss, relative to that of one process, after up to 9 steps: sums in another order differ by rounding, and
#: Adam's division by small gradients makes more of it.
TOLERANCE = 1e-3


@pytest.mark.parametrize(("count", "size"), [(32, 2), (32, 3), (7, 3), (4, 2)])
def test_shards_are_all_images_once_and_nearly_equal(count: int, size: int) -> None:
    shards = [range(count)[DataParallel(rank, size).shard(count)] for rank in range(size)]
    assert [image for shard in shards for image in shard] == list(range(count))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_the_mean_losses_of_shards_add_up_to_that_of_the_batch() -> None:
    losses = torch.rand(7)
    parts = [DataParallel(rank, 3) for rank in range(3)]
    total = sum(part.part_of_mean(losses[part.shard(7)].mean(), 7) for part in parts)
    torch.testing.assert_close(total, losses.mean())


def test_samples_are_pooled_into_the_statistics_of_all_values() -> None:
    values = torch.randn(100, 3) + torch.tensor([0.0, 10.0, 1000.0])
    samples = values.split([20, 50, 30])
    counts = torch.tensor([[20.0], [50.0], [30.0]]).expand(3, 3)
    means = torch.stack([sample.mean(0) for sample in samples])
    variances = torch.stack([sample.var(0, correction=0) for sample in samples])
    mean, variance = pooled(counts, means, variances)
    torch.testing.assert_close(mean, values.mean(0))
    torch.testing.assert_close(variance, values.var(0, correction=0), rtol=1e-4, atol=1e-5)


def test_one_process_alone_needs_no_group() -> None:
    assert not dist.is_initialized()
    alone, losses = DataParallel(), torch.ones(3)
    assert alone.sum_gradients(nn.Linear(1, 1), losses) is losses
    assert alone.any(True, torch.device("cpu"))
    assert alone.is_same(3.0, torch.device("cpu"))
    assert alone.shard(5) == slice(0, 5)


def test_a_batch_too_small_for_the_group_is_refused(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, batch_size=5)
    with pytest.raises(RequestError, match=r"raise batch_size to 6, or train with 2 or less"):
        fit_elastic(config, SPACE, dataset, workers=DataParallel(0, 3))


@pytest.mark.parametrize("augmentation", ["light", "paper"])
def test_an_image_looks_the_same_whoever_gathers_it(dataset: Dataset, augmentation: Any) -> None:
    config = dataclasses.replace(CONFIG, augmentation=augmentation, shift_pixels=2)
    part, batch = dataset.splits["train"], torch.tensor([5, 3, 8, 1, 9])

    def gathered(shard: slice) -> Tensor:
        torch.manual_seed(0)
        images = augmented(part, batch, config, shard=shard)
        drawn_next.append(float(torch.rand(())))
        return images

    drawn_next: list[float] = []
    whole = gathered(slice(None))
    assert torch.equal(torch.cat([gathered(slice(0, 2)), gathered(slice(2, 5))]), whole)
    assert len(set(drawn_next)) == 1


def test_features_are_normalised_by_the_statistics_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    features, weight, bias = torch.randn(7, 4, 3, 3) * 2 + 5, torch.rand(4), torch.rand(4)
    goal = torch.randn(7, 4, 3, 3)

    def outputs_and_gradients(normalise: Callable[..., Tensor], shard: slice) -> tuple[Tensor, ...]:
        inputs = [
            features[shard].requires_grad_(),
            weight.clone().requires_grad_(),
            bias.clone().requires_grad_(),
        ]
        outputs = normalise(*inputs, 1e-5)
        gradients = torch.autograd.grad((outputs * goal[shard]).sum(), inputs)
        return outputs.detach(), *gradients

    one = outputs_and_gradients(batch_norm_of_one_process, slice(None))
    monkeypatch.setattr(dist, "all_reduce", _all_reduce_of_threads(2))
    parts = [DataParallel(rank, 2) for rank in range(2)]
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda part: outputs_and_gradients(part.batch_norm, part.shard(7)), parts))
    close = {"rtol": 1e-4, "atol": 1e-4}
    for which in range(2):  # the outputs, and the gradients of the features
        torch.testing.assert_close(torch.cat([both[0][which], both[1][which]]), one[which], **close)
    for which in range(2, 4):
        torch.testing.assert_close(both[0][which] + both[1][which], one[which], **close)


def _all_reduce_of_threads(count: int) -> Callable[[Tensor], None]:
    """A sum over threads in place of one over processes."""
    given: list[Tensor] = []
    barrier = threading.Barrier(count, timeout=20)

    def all_reduce(values: Tensor) -> None:
        given.append(values.clone())
        barrier.wait()
        values.copy_(torch.stack(given).sum(0))
        if barrier.wait() == 0:
            given.clear()
        barrier.wait()

    return all_reduce


#: Batches that divide evenly and ones that do not; both kinds of augmentation; losses with and without a KL.
TRAININGS = (
    CONFIG,
    dataclasses.replace(CONFIG, epochs=2, augmentation="paper", method="coral", batch_size=33),
)


def _train(rank: int, size: int, dataset: Dataset, folder: Path) -> None:
    """Train in a process of a group; the first training is also begun anew from the state after its first epoch."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=size)

    def begun(config: TrialConfig) -> ElasticFit:
        workers = DataParallel.of_group()
        return fit_elastic(config, SPACE, dataset, threads=1, device="cpu", workers=workers)

    results = []
    here = torch.device("cpu")
    workers = DataParallel.of_group()
    answers = [
        workers.any(rank == 1, here),
        workers.any(False, here),
        workers.is_same(4, here),
        workers.is_same(rank, here),
    ]
    assert answers == [True, False, True, False]
    for config in TRAININGS:
        training = begun(config)
        losses = [next(training).train_loss]
        state = copy.deepcopy(training.state())
        losses += [epoch.train_loss for epoch in training]
        resumed = begun(config)
        resumed.load_state(state)
        again = [losses[0], *(epoch.train_loss for epoch in resumed)]
        results.append((losses, again, training.network.state_dict(), resumed.network.state_dict()))
    torch.save(results, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_train_as_one_does_and_go_on_bit_for_bit(dataset: Dataset, tmp_path: Path) -> None:
    processes.spawn(_train, (2, dataset, tmp_path), nprocs=2)
    results = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for config, (losses, again, network, resumed), (others, *_, other, _) in zip(
        TRAININGS, *results, strict=True
    ):
        assert losses == again == others
        for name, weights in network.items():
            assert torch.equal(weights, resumed[name])
            assert torch.equal(weights, other[name])
        alone = fit_elastic(config, SPACE, dataset, threads=1, device="cpu")
        assert losses == pytest.approx([epoch.train_loss for epoch in alone], rel=TOLERANCE)


def test_a_search_space_asks_for_as_many_images_as_a_training() -> None:
    """Two constants, because search_spaces imports nothing of the suite."""
    assert IMAGES_OF_A_WORKER == FEWEST_IMAGES
