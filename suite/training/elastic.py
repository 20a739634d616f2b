"""Training an elastic network: ``fit_elastic(config, space, dataset)`` yields an ``EpochResult`` per epoch.

A step trains the largest network, some random slices and the smallest one on the same images (the sandwich
rule; Yu and Huang 2019). The largest learns from the labels; the others learn in part from the largest
(in-place distillation, same source). It needs neither Ray nor Optuna, and no file except the teacher
that a configuration names.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from suite.data.dataset import Dataset, LabelledImages
from suite.data.device_cache import on_device
from suite.errors import RequestError
from suite.files.reading import FileContentError
from suite.machine import best_device, without_tf32
from suite.methods import METHODS, LossWeights, Targets
from suite.methods.imitation import imitation_loss
from suite.methods.labels import LabelSet, label_set_of
from suite.networks import to_device
from suite.networks.compact import CompactNet
from suite.networks.elastic import ElasticNet, ElasticSpace
from suite.networks.tensor_files import first_not_finite
from suite.networks.weights import load_network
from suite.presets import Architecture
from suite.training.batches import batches
from suite.training.config_checks import check_config
from suite.training.data_parallel import ALONE, DataParallel
from suite.training.distillation import teacher_of
from suite.training.evaluation import evaluate
from suite.training.fit import STEPS_A_CHECK, DivergedError
from suite.training.inputs import augmented, normalised, targets_of
from suite.training.recipe import (
    Precision,
    autocast,
    make_optimizer,
    make_schedule,
    resolve_precision,
    seeded,
)
from suite.training.training_state import check_state
from suite.trial import EpochResult, Metrics, TrialConfig

RECALIBRATION_BATCH = 256


@dataclass(frozen=True)
class Sharing:
    """How slices share a training."""

    random_slices: int = 2  # per step, beside the largest network and the smallest
    #: Share of a slice's loss that compares it with the largest network; the rest compares it with the labels.
    distillation: float = 0.5
    recalibration_images: int = 1024  # training images that a slice's batch-norm statistics are measured on


class ElasticFit(Iterator[EpochResult]):
    """An elastic training in progress: each ``next`` trains one epoch and validates the two ends of the space.

    The results are those of the largest network. An image of a step counts once, however many slices saw it. The
    processes of a group share the images of each step, and have the same network and results after it.

    Attributes:
        network: The elastic network after the epochs so far.
        smallest: The errors of the smallest network after the last epoch, on validation; None before the first.
        label_set: The label bins.
        precision: What ``config.precision`` resolves to on this device; of a group, float32 unless it is bf16 for all.
        workers: The place of this process in the group that trains the network.
    """

    def __init__(
        self,
        config: TrialConfig,
        space: ElasticSpace,
        dataset: Dataset,
        sharing: Sharing,
        *,
        threads: int | None = None,
        device: str | torch.device | None = None,
        workers: DataParallel = ALONE,
    ) -> None:
        _check(config, space, dataset, sharing)
        workers.check(config.batch_size)
        if threads is not None:
            torch.set_num_threads(threads)
        self.config, self.space, self.sharing, self.workers = config, space, sharing, workers
        self.device = torch.device(device or best_device())
        own = resolve_precision(config.precision, self.device)
        self.precision: Precision = "float32" if workers.any(own == "float32", self.device) else own
        self.label_set = label_set_of(config)
        train, val = dataset.splits["train"].first(config.train_images), dataset.splits["val"]
        self._train, self._val = on_device(train, val, device=self.device)
        self._method, self._weights = METHODS[config.method], LossWeights.of(config)
        largest = space.largest
        with seeded(config.seed, self.device):
            network = ElasticNet(
                largest.widths, largest.depths, config.pooling, self.label_set.bins, self._method.head
            )
        self.network: ElasticNet = to_device(network, self.device)  # type: ignore[assignment]
        self._teacher = teacher_of(config, self._train, self.device, self.precision)
        self._steps = len(self._train) // config.batch_size  # batch norm wants whole batches
        self._optimizer = make_optimizer(config, self.network)
        self._schedule = make_schedule(config, self._optimizer, config.epochs * self._steps)
        self.smallest: Metrics | None = None
        self._epoch = 0

    def __next__(self) -> EpochResult:
        """Train one epoch and validate.

        Raises:
            DivergedError: The loss or a validation error became NaN or infinite.
        """
        if self._epoch == self.config.epochs:
            raise StopIteration
        self._epoch += 1
        began = time.perf_counter()
        with without_tf32(self.precision):
            losses = self._train_epoch()
        trained = time.perf_counter()
        largest, self.smallest = self.evaluate(self.space.largest), self.evaluate(self.space.smallest)
        diverged = (
            not math.isfinite(largest.mae + self.smallest.mae)
            or first_not_finite(self.network.state_dict()) is not None
        )
        if self.workers.any(diverged, self.device):
            raise DivergedError(self._epoch, self._epoch * self._steps, self.config)
        return EpochResult(
            epoch=self._epoch,
            train_loss=losses[0],
            train_kl=losses[1],
            train_l1=losses[2],
            learning_rate=float(self._optimizer.param_groups[0]["lr"]),
            seconds=time.perf_counter() - began,
            images_per_second=self._steps * self.config.batch_size / (trained - began),
            validation=largest,
        )

    @property
    def largest(self) -> CompactNet:
        """The largest network, with statistics of its own: its weights are all that slices are cut from."""
        return self.slice(self.space.largest)

    def slice(self, architecture: Architecture) -> CompactNet:
        """Cut out a slice and measure its batch-norm statistics on training images.

        Raises:
            RequestError: The architecture is not a slice of the network.
        """
        network = self.network.slice(architecture)
        recalibrate(
            network, self._train.first(self.sharing.recalibration_images), self.precision, self.device
        )
        return network

    def evaluate(self, architecture: Architecture) -> Metrics:
        """Measure a slice's errors on the validation split, in label units.

        Raises:
            RequestError: The architecture is not a slice of the network.
        """
        return evaluate(
            self.slice(architecture),
            self._val,
            self.label_set,
            method=self.config.method,
            precision=self.precision,
            device=self.device,
        )

    def state(self) -> dict[str, Any]:
        """Return what the remaining epochs depend on, besides configuration, space and data.

        ``torch.save`` takes it. An epoch draws all that is random from the seed and its own number, so no
        random state is part of it. Its tensors are the training's own: they change with the next epoch.
        """
        return {
            "epoch": self._epoch,
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on after the epoch at which another training of this configuration and space had this state.

        Raises:
            FileContentError: It is not such a state.
        """
        epoch = state.get("epoch")
        if not isinstance(epoch, int) or not 0 < epoch <= self.config.epochs:
            raise FileContentError("it is after no epoch of the training")
        check_state(state, self.state(), self.network, steps=epoch * self._steps)
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._epoch = epoch

    def _train_epoch(self) -> tuple[float, float, float]:
        """Pass once over the training images; return the largest network's mean loss, its KL and its L1."""
        self.network.train()
        losses: list[Tensor] = []
        # An epoch's random numbers depend on the seed and the epoch alone, not on what else ran here.
        with seeded(self.config.seed * 100_003 + self._epoch, self.device):
            order = torch.randperm(len(self._train))[: self._steps * self.config.batch_size]
            for step, batch in enumerate(torch.split(order, self.config.batch_size), 1):
                losses.append(self._train_step(batch))
                if step % STEPS_A_CHECK == 0 or step == self._steps:
                    self._check_finite(losses, step)
        means = torch.stack(losses).mean(0).tolist()
        return means[0], means[1], means[2]

    def _train_step(self, batch: Tensor) -> Tensor:
        """Train on a batch, int64 (b,) of positions in the split; return its loss, KL and L1, float32 (3,)."""
        count, shard = len(batch), self.workers.shard(len(batch))
        images = augmented(self._train, batch, self.config, self.device, shard)
        batch = batch[shard]
        inputs, targets = normalised(images), targets_of(self._train, batch, self.config, self.device)
        self._optimizer.zero_grad(set_to_none=True)
        outputs = self._outputs(inputs, self.space.largest)
        loss = self._method.loss(outputs, targets, self.label_set, self._weights)
        total = loss.total
        if self._teacher is not None:
            total = total + self._teacher.loss(outputs, images, batch)
        self._backward(total, count)
        largest = outputs.detach()
        drawn = [self.space.draw() for _ in range(self.sharing.random_slices)]
        for architecture in (*drawn, self.space.smallest):
            self._backward(self._slice_loss(inputs, targets, largest, architecture), count)
        losses = self.workers.part_of_mean(torch.stack([total, loss.kl, loss.l1]).detach(), count)
        losses = self.workers.sum_gradients(self.network, losses)
        self._optimizer.step()
        self._schedule.step()
        return losses

    def _backward(self, loss: Tensor, count: int) -> None:
        """Add the gradients of a loss, the mean of this process's part of ``count`` images."""
        self.workers.part_of_mean(loss, count).backward()  # type: ignore[no-untyped-call]

    def _slice_loss(
        self, inputs: Tensor, targets: Targets, largest: Tensor, architecture: Architecture
    ) -> Tensor:
        outputs, share = self._outputs(inputs, architecture), self.sharing.distillation
        labels = self._method.loss(outputs, targets, self.label_set, self._weights).total
        if share == 0:
            return labels
        imitation = imitation_loss(self.config.method, outputs, largest, self.label_set, self._weights)
        return (1 - share) * labels + share * imitation

    def _outputs(self, inputs: Tensor, architecture: Architecture) -> Tensor:
        with autocast(self.precision, self.device):
            outputs: Tensor = self.network(inputs, architecture, self.workers.batch_norm)
        return outputs

    def _check_finite(self, losses: list[Tensor], step: int) -> None:
        if not bool(torch.stack(losses[-STEPS_A_CHECK:])[:, 0].isfinite().all()):
            raise DivergedError(self._epoch, (self._epoch - 1) * self._steps + step, self.config)


def fit_elastic(
    config: TrialConfig,
    space: ElasticSpace,
    dataset: Dataset,
    sharing: Sharing | None = None,
    *,
    threads: int | None = None,
    device: str | torch.device | None = None,
    workers: DataParallel = ALONE,
) -> ElasticFit:
    """Train the elastic network of a space; iterate over the result, one epoch per step.

    Args:
        config: The recipe, method, label set and seed. Its widths and depths are ignored; ``epochs`` are the
            elastic training's.
        space: The architectures that share weights.
        dataset: Of the configuration's attribute and resolution.
        sharing: How they share; None takes the defaults.
        threads: torch's number of threads for this process; None leaves it.
        device: "cpu", "cuda", ...; None takes CUDA where there is one.
        workers: The place of this process in a group of ``torch.distributed`` whose processes share the images of
            each step. All of them give the same arguments but for device and threads, and iterate alike.

    Raises:
        RequestError: Configuration, space, dataset and group do not agree.
        DivergedError: (while iterating) the loss became NaN or infinite.
    """
    return ElasticFit(
        config, space, dataset, sharing or Sharing(), threads=threads, device=device, workers=workers
    )


@dataclass(frozen=True)
class TrainedElastic:
    """A trained elastic network.

    Attributes:
        network: On the CPU.
        config: Of its training; widths and depths are those of the largest network.
        label_set: The label bins.
    """

    network: ElasticNet
    config: TrialConfig
    label_set: LabelSet

    def slice(
        self, architecture: Architecture, dataset: Dataset, images: int, device: torch.device
    ) -> CompactNet:
        """Cut out a slice, and measure its batch-norm statistics.

        Args:
            architecture: Of the slice.
            dataset: The data that the elastic network was trained on.
            images: Training images that the statistics are measured on.
            device: Of the slice.

        Raises:
            RequestError: The architecture is no slice of the network.
        """
        sliced = to_device(self.network.slice(architecture), device)
        assert isinstance(sliced, CompactNet)
        part = dataset.splits["train"].first(self.config.train_images).first(images)
        recalibrate(sliced, part, resolve_precision(self.config.precision, device), device)
        return sliced


def load_elastic(path: Path) -> TrainedElastic:
    """Load an elastic network from the weights of its largest network.

    Raises:
        RequestError: The file cannot be read, or holds no compact network.
    """
    largest, config, label_set = load_network(path)
    if not isinstance(largest, CompactNet):
        raise RequestError(f"{path} is a {config.network} network; only the compact network has slices")
    network = ElasticNet(
        config.widths, config.depths, config.pooling, label_set.bins, METHODS[config.method].head
    )
    network.largest.load_state_dict(largest.state_dict())
    return TrainedElastic(network, config, label_set)


@torch.no_grad()
def recalibrate(network: nn.Module, part: LabelledImages, precision: Precision, device: torch.device) -> None:
    """Measure the batch-norm statistics of a network anew, as the mean over batches of images.

    The weights of a slice were trained beside those of others, and its statistics are its own (Yu and Huang
    2019, post-statistics of batch normalisation). The network is left in evaluation mode.

    Args:
        network: On ``device``; its running statistics are replaced.
        part: Training images, unchanged by augmentation.
        precision: "bf16" or "float32", of the forward pass.
        device: Where the network is.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean
    network.train()
    for rows in batches(part.rows, RECALIBRATION_BATCH):
        with autocast(precision, device):
            network(normalised(part.images[rows].to(device)))
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _check(config: TrialConfig, space: ElasticSpace, dataset: Dataset, sharing: Sharing) -> None:
    if config.network != "compact":
        raise RequestError(f"network is {config.network}; only the compact network shares weights")
    if config.backbone or config.warmup_epochs or config.pruned_from:
        raise RequestError(
            "an elastic training takes no backbone, warm-up or pruned network; leave them to the trials"
        )
    check_config(config, dataset)
    if config.batch_size < 2:
        raise RequestError("batch_size is 1; batch normalisation needs at least 2 images in a batch")
    images = len(dataset.splits["train"].first(config.train_images))
    if images < config.batch_size:
        raise RequestError(
            f"there are {images} training images and batch_size is {config.batch_size}; lower batch_size to "
            f"{images} or less"
        )
    if sharing.random_slices < 0 or not 0 <= sharing.distillation <= 1 or sharing.recalibration_images < 2:
        raise RequestError(
            f"random_slices {sharing.random_slices} must be 0 or more, distillation {sharing.distillation:g} from "
            f"0 to 1, and recalibration_images {sharing.recalibration_images} at least 2"
        )
