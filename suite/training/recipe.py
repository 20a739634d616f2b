"""The parts of a training recipe that a ``TrialConfig`` names: optimiser, schedule, precision and seed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch
from torch import nn

from suite.trial import TrialConfig

Precision = Literal["bf16", "float32"]


def make_optimizer(config: TrialConfig, network: nn.Module) -> torch.optim.Optimizer:
    """Make the optimiser that ``config.optimizer`` names, for all parameters of a network."""
    kind: type[torch.optim.Adam] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[config.optimizer]
    return kind(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def make_schedule(
    config: TrialConfig, optimizer: torch.optim.Optimizer, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Make the learning-rate schedule that ``config.schedule`` names, for ``steps`` optimiser steps."""
    if config.schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps)
    half = max(1, steps // 2)
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[half], gamma=0.1)


def resolve_precision(requested: Literal["auto", "bf16", "float32"], device: torch.device) -> Precision:
    """Resolve "auto" to bf16 where the device supports it natively, else to float32."""
    if requested != "auto":
        return requested
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "float32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return a context that computes in bf16; for float32 it changes nothing."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's random numbers inside the context, and restore their state afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
