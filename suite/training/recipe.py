"""The moving parts of a training that a ``TrialConfig`` names: optimiser, schedule, precision, seed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch
from torch import nn

from suite.trial import TrialConfig

Precision = Literal["bf16", "float32"]


def make_optimizer(config: TrialConfig, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser that ``config.optimizer`` names, over all of a network's parameters."""
    kind: type[torch.optim.Adam] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[config.optimizer]
    return kind(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def make_schedule(
    config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The schedule that ``config.schedule`` names, to be stepped ``steps`` times."""
    if config.schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps)
    half = max(1, steps // 2)
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[half], gamma=0.1)


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
