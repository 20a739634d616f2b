"""Pretraining a backbone on identities, because the paper's networks start from face recognition.

The network's output layer is a softmax over the identities of the training split. Everything before it is written
to a file that ``TrialConfig.backbone`` can name. On a CPU, the same configuration, number of threads and precision
give the same file bit for bit.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from suite.data.device_cache import on_device
from suite.data.identities import Identities, load_identities
from suite.data.store import Store
from suite.errors import RequestError
from suite.machine import best_device, without_tf32
from suite.methods.heads import per_bin
from suite.networks import assemble_network, to_device
from suite.networks.weights import write_tensors
from suite.runs.provenance import git_revision, versions
from suite.training.backbones import HEAD
from suite.training.batches import batches, count_batches, explain_single_image
from suite.training.evaluation import EVALUATION_BATCH
from suite.training.fit import DivergedError
from suite.training.inputs import augmented, normalised
from suite.training.recipe import (
    autocast,
    make_optimizer,
    make_schedule,
    resolve_precision,
    seeded,
)
from suite.trial import IdentityEpoch, TrialConfig
from suite.trial_reading import check_requested


class IdentityFit(Iterator[IdentityEpoch]):
    """A pretraining in progress: each ``next`` trains one epoch and evaluates the held-out images.

    Network and recipe are those of ``config``; its label set, method and warm-up are ignored.

    Attributes:
        network: The network after the epochs so far, with an output for each identity.
        precision: The precision that ``config.precision`` resolves to on this device.
    """

    def __init__(
        self,
        config: TrialConfig,
        identities: Identities,
        *,
        threads: int | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        check_requested(config)
        if config.resolution != identities.resolution:
            raise RequestError(
                f"the configuration is for {config.resolution} pixels, the identities for "
                f"{identities.resolution}; load them with the configuration's resolution"
            )
        if threads is not None:
            torch.set_num_threads(threads)
        self.config, self.identities = config, identities
        self.device = torch.device(device or best_device())
        self.precision = resolve_precision(config.precision, self.device)
        self._train, self._held_out = on_device(identities.train, identities.held_out, device=self.device)
        with seeded(config.seed, self.device):
            network = assemble_network(config, per_bin, identities.count)
        self.network = to_device(network, self.device)
        self._optimizer = make_optimizer(config, self.network)
        self._steps = count_batches(len(identities.train), config.batch_size)
        self._schedule = make_schedule(config, self._optimizer, config.epochs * self._steps)
        self._epoch = 0

    def __next__(self) -> IdentityEpoch:
        """Train one epoch and evaluate.

        Raises:
            DivergedError: The loss became NaN or infinite.
            RequestError: A batch is a single image, which batch normalisation cannot train on.
        """
        if self._epoch == self.config.epochs:
            raise StopIteration
        self._epoch += 1
        began = time.perf_counter()
        self.network.train()
        explained = explain_single_image(self.config.batch_size, self.config.resolution)
        seed = self.config.seed * 100_003 + self._epoch
        with without_tf32(self.precision), seeded(seed, self.device), explained:
            order = torch.randperm(len(self.identities.train))
            losses = [self._step(batch) for batch in batches(order, self.config.batch_size)]
        loss = float(torch.stack(losses).mean())
        if not math.isfinite(loss):
            raise DivergedError(self._epoch, self._epoch * self._steps, self.config)
        return IdentityEpoch(self._epoch, loss, self._accuracy(), time.perf_counter() - began)

    def _step(self, batch: Tensor) -> Tensor:
        part = self._train
        inputs = normalised(augmented(part, batch, self.config, self.device))
        with autocast(self.precision, self.device):
            logits = self.network(inputs)
        loss = nn.functional.cross_entropy(logits.float(), part.labels[batch].long().to(self.device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._schedule.step()
        return loss.detach()

    @torch.inference_mode()
    def _accuracy(self) -> float:
        part = self._held_out
        self.network.eval()
        correct = 0
        for chosen in torch.split(torch.arange(len(part)), EVALUATION_BATCH):
            inputs = normalised(part.images[part.rows[chosen]].to(self.device))
            with without_tf32(self.precision), autocast(self.precision, self.device):
                predictions = self.network(inputs).argmax(1).cpu()
            correct += int((predictions == part.labels[chosen].long()).sum())
        return correct / len(part) if len(part) else math.nan


def pretrain(
    config: TrialConfig,
    store: Store,
    path: Path,
    on_epoch: Callable[[IdentityEpoch], None],
    *,
    threads: int | None = None,
    device: str | torch.device | None = None,
) -> IdentityFit:
    """Train on a store's identities and write the backbone after each epoch.

    ``path`` (.safetensors) holds everything but the output layer. A JSON file of the same name beside it records how
    it was made. Each is replaced in one step, so that an interruption leaves the files of the last epoch.

    Args:
        config: Network and recipe.
        store: The data; its training split must name the people.
        path: The file to write.
        on_epoch: Called after each epoch.
        threads: The number of torch's threads in this process; None leaves it.
        device: "cpu", "cuda", ...; None takes CUDA where there is a GPU.

    Returns:
        The training, after its last epoch.

    Raises:
        RequestError: The store has no identities, or the configuration describes no valid network.
        DivergedError: The loss became NaN or infinite.
    """
    training = IdentityFit(config, load_identities(store, config.resolution), threads=threads, device=device)
    epochs: list[IdentityEpoch] = []
    for epoch in training:
        epochs.append(epoch)
        _write(training, store, epochs, path)
        on_epoch(epoch)
    return training


def _write(training: IdentityFit, store: Store, epochs: list[IdentityEpoch], path: Path) -> None:
    identities = training.identities
    state = {k: v for k, v in training.network.state_dict().items() if not k.startswith(HEAD)}
    description = {
        "task": "identities",
        "config": dataclasses.replace(training.config, precision=training.precision).to_json(),
        "identities": identities.count,
        "train_images": len(identities.train),
        "held_out_images": len(identities.held_out),
        "data": {"name": store.info.name, "fingerprint": store.info.fingerprint},
        "epochs": [{k: _finite(v) for k, v in dataclasses.asdict(epoch).items()} for epoch in epochs],
        "versions": versions(),
        "git_revision": git_revision(),
    }
    write_tensors(state, description, path)


def _finite(value: float) -> float | None:
    """A number, or None for NaN, which JSON does not have."""
    return value if math.isfinite(value) else None
