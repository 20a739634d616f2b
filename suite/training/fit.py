"""Training one network: ``fit(config, dataset)`` is an iterator that yields an ``EpochResult`` per epoch.

It needs neither Ray nor Optuna, and no files except the weights that a configuration may name. It therefore runs in a
notebook, in a test and on a GPU machine alike. On a CPU, the same configuration, number of threads and precision give
the same network bit for bit.
"""

import copy
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from suite.data.dataset import Dataset
from suite.data.device_cache import on_device
from suite.files.reading import FileContentError
from suite.machine import best_device, without_tf32
from suite.methods import METHODS, LossWeights
from suite.methods.labels import label_set_of
from suite.networks import build_network, to_device
from suite.networks.tensor_files import first_not_finite
from suite.training.backbones import Transfer, start_from
from suite.training.batches import batches, count_batches, explain_single_image
from suite.training.config_checks import check_config
from suite.training.distillation import teacher_of
from suite.training.evaluation import evaluate
from suite.training.inputs import augmented, normalised, targets_of
from suite.training.recipe import (
    autocast,
    make_optimizer,
    make_schedule,
    resolve_precision,
    seeded,
)
from suite.training.training_state import check_state
from suite.training.weight_files import pin_weight_files
from suite.trial import EpochResult, MethodName, Metrics, TrialConfig

#: Steps between two checks for a loss that is not finite. Each check makes the CPU wait for a GPU.
STEPS_A_CHECK = 16


def fit(
    config: TrialConfig,
    dataset: Dataset,
    *,
    threads: int | None = None,
    device: str | torch.device | None = None,
    network: nn.Module | None = None,
) -> "Fit":
    """Train the network that ``config`` describes; each ``next`` of the result trains one epoch.

    Args:
        config: Everything that decides the outcome.
        dataset: The data, for the configuration's attribute and resolution.
        threads: The number of torch's threads in this process; None leaves it.
        device: "cpu", "cuda", ...; None takes CUDA where there is a GPU.
        network: A network of this configuration to start from, output layer included; it is copied. None starts
            from fresh weights, or from the configuration's backbone.

    Raises:
        RequestError: Configuration and data set do not match, or the backbone cannot be used.
        DivergedError: (while iterating) the loss became NaN or infinite.
    """
    return Fit(config, dataset, threads=threads, device=device, network=network)


class Fit(Iterator[EpochResult]):
    """A training in progress: each ``next`` trains one epoch and validates.

    Attributes:
        network: The network after the epochs so far.
        label_set: The label bins.
        precision: The precision that ``config.precision`` resolves to on this device.
        transfer: The layers that the network took from ``config.backbone``; None without a backbone.
    """

    def __init__(
        self,
        config: TrialConfig,
        dataset: Dataset,
        *,
        threads: int | None = None,
        device: str | torch.device | None = None,
        network: nn.Module | None = None,
    ) -> None:
        check_config(config, dataset)
        if threads is not None:
            torch.set_num_threads(threads)
        self.config = config = pin_weight_files(config)
        self.device = torch.device(device or best_device())
        self.precision = resolve_precision(config.precision, self.device)
        self.label_set = label_set_of(config)
        train, val = dataset.splits["train"].first(config.train_images), dataset.splits["val"]
        self._train, self._val = on_device(train, val, device=self.device)
        self.transfer: Transfer | None = None
        self.network = to_device(self._starting_network(network), self.device)
        self._teacher = teacher_of(config, self._train, self.device, self.precision)
        self._steps = count_batches(len(self._train), config.batch_size)
        self._epoch = 0
        self._begin_first_stage()

    def __next__(self) -> EpochResult:
        """Train one epoch and validate.

        Raises:
            DivergedError: The loss or the validation error became NaN or infinite.
            RequestError: A batch is a single image, which batch normalisation cannot train on.
        """
        if self._epoch == self.config.epochs:
            raise StopIteration
        if 0 < self._epoch == self.config.warmup_epochs:
            self._begin_stage(self.config.method, self.config.epochs - self._epoch)
        self._epoch += 1
        started = time.perf_counter()
        explained = explain_single_image(self.config.batch_size, self.config.resolution)
        with without_tf32(self.precision), explained:
            losses = self._train_epoch()
        trained = time.perf_counter()
        validation = self._validate()
        return EpochResult(
            epoch=self._epoch,
            train_loss=losses[0],
            train_kl=losses[1],
            train_l1=losses[2],
            learning_rate=float(self._optimizer.param_groups[0]["lr"]),
            seconds=time.perf_counter() - started,
            images_per_second=len(self._train) / (trained - started),
            validation=validation,
        )

    def _starting_network(self, network: nn.Module | None) -> nn.Module:
        if network is not None:
            return copy.deepcopy(network)
        with seeded(self.config.seed, self.device):
            network = build_network(self.config, self.label_set.bins)
        if self.config.backbone:
            self.transfer = start_from(network, Path(self.config.backbone))
        return network

    def _begin_first_stage(self) -> None:
        config = self.config
        warmup = config.warmup_method if config.warmup_epochs else None
        self._begin_stage(warmup or config.method, config.warmup_epochs if warmup else config.epochs)

    def _begin_stage(self, method: MethodName, epochs: int) -> None:
        """Train by a method from here on, with a new optimiser and a new schedule."""
        self._method = METHODS[method]
        self._optimizer = make_optimizer(self.config, self.network)
        self._schedule = make_schedule(self.config, self._optimizer, epochs * self._steps)

    def _train_epoch(self) -> tuple[float, float, float]:
        """Pass once over the training images; return the means of the loss, its KL and its L1."""
        self.network.train()
        losses: list[Tensor] = []
        # An epoch's random numbers depend on the seed and the epoch alone, not on what else ran in the process.
        with seeded(self.config.seed * 100_003 + self._epoch, self.device):
            order = torch.randperm(len(self._train))
            for step, batch in enumerate(batches(order, self.config.batch_size), 1):
                losses.append(self._train_step(batch))
                if step % STEPS_A_CHECK == 0 or step == self._steps:
                    self._check_finite(losses, step)
        means = torch.stack(losses).mean(0).tolist()
        return means[0], means[1], means[2]

    def _train_step(self, batch: Tensor) -> Tensor:
        """Train on a batch, int64 (b,) of positions in the split; return its loss, KL and L1, float32 (3,)."""
        images = augmented(self._train, batch, self.config, self.device)
        targets = targets_of(self._train, batch, self.config, self.device)
        with autocast(self.precision, self.device):
            outputs = self.network(normalised(images))
        loss = self._method.loss(outputs, targets, self.label_set, LossWeights.of(self.config))
        total = loss.total
        if self._teacher is not None:
            total = total + self._teacher.loss(outputs, images, batch)
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._schedule.step()
        return torch.stack([total, loss.kl, loss.l1]).detach()

    def _check_finite(self, losses: list[Tensor], step: int) -> None:
        recent = torch.stack(losses[-STEPS_A_CHECK:])[:, 0]
        if not bool(recent.isfinite().all()):
            first_bad = int((~recent.isfinite()).nonzero()[0])
            step_in_epoch = step - len(recent) + 1 + first_bad
            raise DivergedError(self._epoch, (self._epoch - 1) * self._steps + step_in_epoch, self.config)

    def _validate(self) -> Metrics:
        validation = evaluate(
            self.network,
            self._val,
            self.label_set,
            method=self.config.method,
            precision=self.precision,
            device=self.device,
        )
        # Statistics of batch norm can overflow while the loss stays finite, and no file keeps such a network.
        if not math.isfinite(validation.mae) or first_not_finite(self.network.state_dict()) is not None:
            raise DivergedError(self._epoch, self._epoch * self._steps, self.config)
        return validation

    def state(self) -> dict[str, Any]:
        """Return what the remaining epochs depend on besides configuration and data, for ``torch.save``.

        An epoch draws all its random numbers from the seed and its own number, so the state holds no random
        state. The tensors are the training's own and change with the next epoch.
        """
        return {
            "epoch": self._epoch,
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue after the epoch at which another training of this configuration had this state.

        Raises:
            FileContentError: It is not such a state, and nothing has changed.
        """
        epoch, warmup = state.get("epoch"), self.config.warmup_epochs
        if not isinstance(epoch, int) or not 0 < epoch <= self.config.epochs:
            raise FileContentError("it is after no epoch of the training")
        before = warmup if 0 < warmup < epoch else 0  # epochs of an earlier stage
        if before:
            self._begin_stage(self.config.method, self.config.epochs - warmup)
        try:
            check_state(state, self.state(), self.network, steps=(epoch - before) * self._steps)
        except FileContentError:
            self._begin_first_stage()
            raise
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._epoch = epoch


class DivergedError(Exception):
    """The loss, an error or the network became NaN or infinite.

    The message names the epoch, the step and the configuration.
    """

    def __init__(self, epoch: int, step: int, config: TrialConfig) -> None:
        self.epoch, self.step, self.config = epoch, step, config
        super().__init__(
            f"the loss became NaN or infinite at epoch {epoch}, step {step} (network "
            f"{config.network}, method {config.method}, learning_rate {config.learning_rate:g}, "
            f"lambda_l1 {config.lambda_l1:g}, widths {config.widths}, depths {config.depths}, "
            f"seed {config.seed})"
        )
