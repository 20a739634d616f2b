"""Training one network: ``fit(config, dataset)`` yields an ``EpochResult`` an epoch.

No Ray, no Optuna, and no files but the backbone and the teacher that a configuration may name: it runs in a
notebook, in a test, on a GPU machine. On a CPU the same configuration, number of threads and precision give
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
from suite.errors import RequestError
from suite.methods import METHODS, LossWeights, Truth
from suite.methods.labels import LabelSet
from suite.networks import build_network, to_device
from suite.training.backbones import Transfer, pinned, start_from
from suite.training.distillation import teacher_of
from suite.training.evaluation import evaluate
from suite.training.inputs import augmented, normalised
from suite.training.recipe import (
    autocast,
    make_optimizer,
    make_schedule,
    resolve_precision,
    seeded,
    without_tf32,
)
from suite.trial import EpochResult, MethodName, TrialConfig

#: Steps between two looks at the losses: a look makes the CPU wait for a GPU.
STEPS_A_LOOK = 16


class DivergedError(Exception):
    """The loss became NaN or infinite; the message names the epoch, the step and the configuration."""

    def __init__(self, epoch: int, step: int, config: TrialConfig) -> None:
        self.epoch, self.step, self.config = epoch, step, config
        super().__init__(
            f"the loss became NaN or infinite at epoch {epoch}, step {step} (network "
            f"{config.network}, method {config.method}, learning_rate {config.learning_rate:g}, "
            f"lambda_l1 {config.lambda_l1:g}, widths {config.widths}, depths {config.depths}, "
            f"seed {config.seed})"
        )


class Fit(Iterator[EpochResult]):
    """A training in progress: each ``next`` trains one epoch and validates.

    Attributes:
        network: the network as it stands after the epochs so far.
        label_set: the bins that it estimates over.
        precision: what ``config.precision`` came to on this device.
        transfer: what the network took from ``config.backbone``; None where it starts from nothing.
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
        _check_agreement(config, dataset)
        if threads is not None:
            torch.set_num_threads(threads)
        self.config = config = pinned(config)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.precision = resolve_precision(config.precision, self.device)
        self.label_set = LabelSet(config.label_low, config.label_high, config.label_step)
        train, val = dataset.splits["train"].first(config.train_images), dataset.splits["val"]
        self._train, self._val = on_device(train, val, device=self.device)
        self.transfer: Transfer | None = None
        if network is None:
            with seeded(config.seed, self.device):
                network = build_network(config, self.label_set.bins)
            self.transfer = start_from(network, Path(config.backbone)) if config.backbone else None
        else:
            network = copy.deepcopy(network)
        self.network = to_device(network, self.device)
        self._teacher = teacher_of(config, self._train, self.device, self.precision)
        self._steps = math.ceil(len(self._train) / config.batch_size)
        self._epoch = 0
        warming = config.warmup_method if config.warmup_epochs else None
        self._begin_stage(warming or config.method, config.warmup_epochs if warming else config.epochs)

    def __next__(self) -> EpochResult:
        if self._epoch == self.config.epochs:
            raise StopIteration
        if 0 < self._epoch == self.config.warmup_epochs:
            self._begin_stage(self.config.method, self.config.epochs - self._epoch)
        self._epoch += 1
        started = time.perf_counter()
        with without_tf32(self.precision):
            losses = self._train_epoch()
        trained = time.perf_counter()
        validation = evaluate(
            self.network,
            self._val,
            self.label_set,
            method=self.config.method,
            precision=self.precision,
            device=self.device,
        )
        if not math.isfinite(validation.mae):
            raise DivergedError(self._epoch, self._epoch * self._steps, self.config)
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

    def state(self) -> dict[str, Any]:
        """What the epochs to come depend on, beside configuration and data; ``torch.save`` takes it.

        An epoch draws all that is random from the seed and its own number, so no random state is part of it.
        Its tensors are the training's own: they change with the next epoch.
        """
        return {
            "epoch": self._epoch,
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
        }

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Go on after the epoch at which another training of this configuration had this state."""
        epoch, warming = int(state["epoch"]), self.config.warmup_epochs
        if 0 < warming < epoch:
            self._begin_stage(self.config.method, self.config.epochs - warming)
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._epoch = epoch

    def _begin_stage(self, method: MethodName, epochs: int) -> None:
        """Train by a method from here on, with an optimiser and a schedule of its own."""
        self._method = METHODS[method]
        self._optimizer = make_optimizer(self.config, self.network)
        self._schedule = make_schedule(self.config, self._optimizer, epochs * self._steps)

    def _train_epoch(self) -> tuple[float, float, float]:
        """One pass over the training images; means of the loss, its KL and its L1."""
        self.network.train()
        losses: list[Tensor] = []
        # An epoch's random numbers depend on the seed and the epoch alone, not on what else ran here.
        with seeded(self.config.seed * 100_003 + self._epoch, self.device):
            order = torch.randperm(len(self._train))
            for step, batch in enumerate(torch.split(order, self.config.batch_size), 1):
                losses.append(self._train_step(batch))
                if step % STEPS_A_LOOK == 0 or step == self._steps:
                    self._look(losses, step)
        means = torch.stack(losses).mean(0).tolist()
        return means[0], means[1], means[2]

    def _train_step(self, batch: Tensor) -> Tensor:
        images = augmented(self._train, batch, self.config, self.device)
        labels = self._train.labels[batch].to(self.device)
        truth = Truth(labels, self._deviations(batch).to(self.device))
        with autocast(self.precision, self.device):
            outputs = self.network(normalised(images))
        loss = self._method.loss(outputs, truth, self.label_set, LossWeights.of(self.config))
        total = (
            loss.total if self._teacher is None else loss.total + self._teacher.loss(outputs, images, batch)
        )
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._schedule.step()
        return torch.stack([total, loss.kl, loss.l1]).detach()

    def _deviations(self, batch: Tensor) -> Tensor:
        """The deviation of each target: one for all, the annotators', or 2 label steps (paper)."""
        if self.config.label_deviation is not None:
            return torch.full((len(batch),), self.config.label_deviation)
        return self._train.deviations[batch].nan_to_num(2.0 * self.config.label_step)

    def _look(self, losses: list[Tensor], step: int) -> None:
        recent = torch.stack(losses[-STEPS_A_LOOK:])[:, 0]
        if not bool(recent.isfinite().all()):
            first_bad = int((~recent.isfinite()).nonzero()[0])
            in_epoch = step - len(recent) + 1 + first_bad
            raise DivergedError(self._epoch, (self._epoch - 1) * self._steps + in_epoch, self.config)


def fit(
    config: TrialConfig,
    dataset: Dataset,
    *,
    threads: int | None = None,
    device: str | torch.device | None = None,
    network: nn.Module | None = None,
) -> Fit:
    """Train the network that ``config`` describes; iterate over the result, an epoch a step.

    Args:
        config: all that decides the outcome.
        dataset: of the configuration's attribute and resolution.
        threads: CPU share, as torch's number of threads for this process; None leaves it.
        device: "cpu", "cuda", ...; None takes CUDA where there is one.
        network: of the configuration, to go on from, output layer included; it stays as it is. None starts
            with a fresh one, or from the configuration's backbone.

    Raises:
        RequestError: configuration and dataset do not agree, or its backbone cannot be used.
        DivergedError: (while iterating) the loss became NaN or infinite.
    """
    return Fit(config, dataset, threads=threads, device=device, network=network)


def _check_agreement(config: TrialConfig, dataset: Dataset) -> None:
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
    _check_warmup(config)


def _check_warmup(config: TrialConfig) -> None:
    if not config.warmup_epochs:
        return
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
