"""Training one network: ``fit(config, dataset)`` yields an ``EpochResult`` an epoch.

No Ray, no Optuna, no files: it runs in a notebook, in a test, on a GPU machine. On a CPU the same
configuration, number of threads and precision give the same network bit for bit.
"""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn

from suite.data.dataset import Dataset, LabelledImages
from suite.errors import RequestError
from suite.labels import LabelSet, target_distribution
from suite.methods import estimate, joint_loss
from suite.metrics import measure
from suite.networks import build_network, place
from suite.trial import EpochResult, Metrics, TrialConfig

#: Mean and standard deviation of the red, green and blue channels in 0..1 (paper, training recipe).
CHANNEL_MEAN = (0.5958, 0.4637, 0.4065)
CHANNEL_STD = (0.2693, 0.2409, 0.2352)
#: Steps between two looks at the losses: a look makes the CPU wait for a GPU.
STEPS_A_LOOK = 16
EVALUATION_BATCH = 256

Precision = Literal["bf16", "float32"]


class DivergedError(Exception):
    """The loss became NaN or infinite; the message names the epoch, the step and the configuration."""

    def __init__(self, epoch: int, step: int, config: TrialConfig) -> None:
        self.epoch, self.step, self.config = epoch, step, config
        super().__init__(
            f"the loss became NaN or infinite at epoch {epoch}, step {step} "
            f"(learning_rate {config.learning_rate:g}, lambda_l1 {config.lambda_l1:g}, "
            f"widths {config.widths}, depths {config.depths}, seed {config.seed})"
        )


class Fit(Iterator[EpochResult]):
    """A training in progress: each ``next`` trains one epoch and validates.

    Attributes:
        network: the network as it stands after the epochs so far.
        label_set: the bins that it estimates over.
        precision: what ``config.precision`` came to on this device.
    """

    def __init__(
        self,
        config: TrialConfig,
        dataset: Dataset,
        *,
        threads: int | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        _check_agreement(config, dataset)
        if threads is not None:
            torch.set_num_threads(threads)
        self.config = config
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.precision = resolve_precision(config.precision, self.device)
        self.label_set = LabelSet(config.label_low, config.label_high, config.label_step)
        self._train = dataset.splits["train"].first(config.train_images)
        self._val = dataset.splits["val"]
        with seeded(config.seed, self.device):
            network = build_network(config, self.label_set.bins)
        self.network = place(network, self.device)
        self._optimizer = _optimizer(config, self.network)
        self._steps = math.ceil(len(self._train) / config.batch_size)
        self._schedule = _schedule(config, self._optimizer, self._steps)
        self._epoch = 0

    def __next__(self) -> EpochResult:
        if self._epoch == self.config.epochs:
            raise StopIteration
        self._epoch += 1
        started = time.perf_counter()
        losses = self._train_epoch()
        trained = time.perf_counter()
        validation = evaluate(
            self.network, self._val, self.label_set, precision=self.precision, device=self.device
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

    def _train_epoch(self) -> tuple[float, float, float]:
        """One pass over the training images; means of the loss, its KL and its L1 term."""
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
        images = augmented(self._train, batch, self.config)
        inputs = normalised(images.to(self.device, non_blocking=True))
        labels = self._train.labels[batch].to(self.device)
        target = target_distribution(labels, self._deviations(batch).to(self.device), self.label_set)
        with autocast(self.precision, self.device):
            logits = self.network(inputs)
        loss = joint_loss(
            logits,
            target,
            labels,
            self.label_set,
            lambda_l1=self.config.lambda_l1,
            kl_over_bins=self.config.kl_over_bins,
        )
        self._optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._schedule.step()
        return torch.stack([loss.total, loss.kl, loss.l1]).detach()

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
) -> Fit:
    """Train the network that ``config`` describes; iterate over the result, an epoch a step.

    Args:
        config: all that decides the outcome.
        dataset: of the configuration's attribute and resolution.
        threads: CPU share, as torch's number of threads for this process; None leaves it.
        device: "cpu", "cuda", ...; None takes CUDA where there is one.

    Raises:
        RequestError: configuration and dataset do not agree.
        DivergedError: (while iterating) the loss became NaN or infinite.
    """
    return Fit(config, dataset, threads=threads, device=device)


@torch.inference_mode()
def predict(
    network: nn.Module,
    part: LabelledImages,
    label_set: LabelSet,
    *,
    precision: Precision,
    device: torch.device,
) -> Tensor:
    """Estimates for a split, float32 (n,) on the CPU: the mean of an image's and its mirror image's."""
    was_training = network.training
    network.eval()
    estimates = []
    for rows in torch.split(part.rows, EVALUATION_BATCH):
        inputs = normalised(part.images[rows].to(device))
        with autocast(precision, device):
            straight, mirrored = network(inputs), network(inputs.flip(3))
        estimates.append((estimate(straight, label_set) + estimate(mirrored, label_set)) / 2)
    network.train(was_training)
    return torch.cat(estimates).cpu()


def evaluate(
    network: nn.Module,
    part: LabelledImages,
    label_set: LabelSet,
    *,
    precision: Precision,
    device: torch.device,
) -> Metrics:
    """The metrics of ``predict`` on a split; MAE is NaN where a prediction is."""
    predictions = predict(network, part, label_set, precision=precision, device=device)
    return measure(predictions, part.labels, part.deviations)


def augmented(part: LabelledImages, batch: Tensor, config: TrialConfig) -> Tensor:
    """Gather a batch, each image mirrored with probability 1/2 and shifted, in one indexing.

    Pixels shifted in from outside repeat the border. Draws from torch's CPU generator.

    Args:
        part: the split.
        batch: int64 (b,), positions within the split.
        config: its ``flip`` and ``shift_pixels`` decide.

    Returns:
        uint8 (b, side, side, 3).
    """
    side, count, reach = part.images.shape[1], len(batch), config.shift_pixels
    across = torch.arange(side)
    shift = torch.randint(-reach, reach + 1, (2, count, 1)) if reach else torch.zeros(2, count, 1).long()
    rows = (across + shift[0]).clamp(0, side - 1)
    columns = (across + shift[1]).clamp(0, side - 1)
    if config.flip:
        columns = torch.where(torch.rand(count, 1) < 0.5, columns.flip(1), columns)
    return part.images[part.rows[batch][:, None, None], rows[:, :, None], columns[:, None, :]]


def normalised(images: Tensor) -> Tensor:
    """uint8 (b, side, side, 3) as float32 (b, 3, side, side), channels-last in memory."""
    mean = torch.tensor(CHANNEL_MEAN, device=images.device) * 255
    scale = 1 / (torch.tensor(CHANNEL_STD, device=images.device) * 255)
    return ((images.float() - mean) * scale).permute(0, 3, 1, 2)


def resolve_precision(wanted: Literal["auto", "bf16", "float32"], device: torch.device) -> Precision:
    """What "auto" comes to: bf16 where the device multiplies in it natively, else float32."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "float32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Run the forward pass in bf16, or leave it alone."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's random numbers start from ``seed`` inside, and go on outside as if nothing had been."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


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


def _optimizer(config: TrialConfig, network: nn.Module) -> torch.optim.Optimizer:
    kind: type[torch.optim.Adam] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[config.optimizer]
    return kind(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def _schedule(
    config: TrialConfig, optimizer: torch.optim.Optimizer, steps_an_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler:
    total = config.epochs * steps_an_epoch
    if config.schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=total)
    half = max(1, total // 2)
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[half], gamma=0.1)
