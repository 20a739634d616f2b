"""Data-parallel training: the processes of a ``torch.distributed`` group share the images of each step.

Every process has all weights. A step sums the gradients of the processes, and batch normalisation takes the statistics
of all their images (Peng et al. 2018, MegDet), so that the result is that of one process with the same batch, up to
rounding. ``nn.SyncBatchNorm`` is not used because it takes images on a GPU only, and has no slices.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from suite.errors import RequestError
from suite.networks.elastic import batch_norm_of_one_process

#: Images of a batch that each process should have at least; with one there is little to share.
FEWEST_IMAGES = 2


@dataclass(frozen=True)
class DataParallel:
    """The place of this process in a group that trains one network.

    Attributes:
        rank: Of this process, from 0.
        size: Of the group; 1: this process trains alone, and there need be no group.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that saves what all have."""
        return self.rank == 0

    @classmethod
    def of_group(cls) -> "DataParallel":
        """Return the place of this process in the default group of ``torch.distributed``."""
        return cls(dist.get_rank(), dist.get_world_size())

    def check(self, batch_size: int) -> None:
        """Refuse a batch that is too small for the group.

        Raises:
            RequestError: There are fewer than two images for each process.
        """
        if self.size > 1 and batch_size < FEWEST_IMAGES * self.size:
            raise RequestError(
                f"batch_size is {batch_size} and {self.size} workers share it, which leaves some of them less than "
                f"{FEWEST_IMAGES} images; raise batch_size to {FEWEST_IMAGES * self.size}, or train with "
                f"{max(1, batch_size // FEWEST_IMAGES)} or less"
            )

    def shard(self, count: int) -> slice:
        """Return which of ``count`` images are this process's; the shares differ by one image at most."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def part_of_mean(self, loss: Tensor, count: int) -> Tensor:
        """Return what the mean loss of this process's shard contributes to that of ``count`` images."""
        if self.size == 1:
            return loss
        return loss * (len(range(count)[self.shard(count)]) / count)

    def sum_gradients(self, network: nn.Module, losses: Tensor) -> Tensor:
        """Replace the gradients of a network by their sums over the group.

        Args:
            network: Every process has gradients of the same parameters.
            losses: Further numbers to sum, float32 (n,), without gradient.

        Returns:
            The sums of the further numbers, float32 (n,); all processes get the same.
        """
        if self.size == 1:
            return losses
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        together = torch.cat([losses, *(gradient.reshape(-1) for gradient in gradients)])
        dist.all_reduce(together)
        sizes = [len(losses), *(gradient.numel() for gradient in gradients)]
        summed, *sums = torch.split(together, sizes)
        for gradient, total in zip(gradients, sums, strict=True):
            gradient.copy_(total.view(gradient.shape))
        return summed

    def batch_norm(self, features: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        """Normalise features by the statistics of the whole batch; differentiable.

        Args:
            features: Of this process's shard, float (b, channels, height, width).
            weight: float32 (channels,); so is bias.
            bias: Is added last.
            eps: Is added to the variance.

        Returns:
            float (b, channels, height, width), of the dtype of ``features``.
        """
        if self.size == 1:
            return batch_norm_of_one_process(features, weight, bias, eps)
        exact = features.float()
        variance, mean = torch.var_mean(exact, (0, 2, 3), correction=0)
        own = torch.stack([torch.full_like(mean, len(features)), mean, variance])
        rows = [own if rank == self.rank else torch.zeros_like(own) for rank in range(self.size)]
        counts, means, variances = _sum_over_group(torch.stack(rows)).unbind(1)
        mean, variance = pooled(counts, means, variances)
        scale = weight * torch.rsqrt(variance + eps)
        shift = bias - mean * scale
        return (exact * scale[:, None, None] + shift[:, None, None]).to(features.dtype)

    def any(self, flag: bool, device: torch.device) -> bool:
        """Return whether a flag is set in any process of the group."""
        return flag if self.size == 1 else self._largest(float(flag), device) > 0

    def is_same(self, value: float, device: torch.device) -> bool:
        """Return whether all processes of the group have the same value."""
        return self.size == 1 or self._largest(value, device) == -self._largest(-value, device)

    def _largest(self, value: float, device: torch.device) -> float:
        values = torch.tensor(value, device=device)
        dist.all_reduce(values, dist.ReduceOp.MAX)
        return float(values)


#: A training in one process.
ALONE = DataParallel()


def pooled(counts: Tensor, means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance of several samples together (Chan, Golub and LeVeque 1983).

    Args:
        counts: Of each sample, float (n, channels).
        means: float (n, channels).
        variances: Without Bessel's correction, float (n, channels).

    Returns:
        Mean and variance, each float (channels,).
    """
    shares = counts / counts.sum(0)
    mean = (shares * means).sum(0)
    return mean, (shares * (variances + (means - mean).square())).sum(0)


def _sum_over_group(values: Tensor) -> Tensor:
    summed: Tensor = _SumOverGroup.apply(values)  # type: ignore[no-untyped-call]
    return summed


class _SumOverGroup(torch.autograd.Function):
    """``all_reduce`` with its derivative: each process's value is part of every process's sum."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        summed = values.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        summed = gradient.contiguous().clone()
        dist.all_reduce(summed)
        return summed
