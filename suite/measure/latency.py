"""How fast networks are beside each other: paired rounds in one process, float32, eager, channels-last.

Every round times each network once, in an order that alternates, so that a slow moment of the machine
falls on both sides of a ratio. The caller sees to it that nothing else runs; what did run is told.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from suite.measure.contention import read_clock, share_of_others, usable_cores
from suite.networks import to_device
from suite.training.recipe import without_tf32

#: Rounds that are taken however short the time is: fewer show no spread.
LEAST_ROUNDS = 3
MEASUREMENT_SECONDS = 0.1  # a measurement repeats its call for about so long
LONG_CALL_SECONDS = 1.0  # a call of this length needs no warm-up with its own batch
#: Before calls shorter than this, one is not counted: in the caches are the weights of the network before it.
SHORT_CALL_SECONDS = 0.2


@dataclass(frozen=True)
class Speedup:
    """How many times as fast one network is as another, over paired rounds."""

    median: float
    low: float  # 10th percentile over rounds
    high: float  # 90th percentile


@dataclass(frozen=True)
class PairedTimes:
    """Seconds a call of several networks, by name; entry ``i`` of each was taken in round ``i``."""

    seconds: Mapping[str, tuple[float, ...]]
    batch_size: int  # images a call
    resolution: int  # pixels a side
    others: float  # share of the processor that other programs took meanwhile, 0 to 1

    @property
    def rounds(self) -> int:
        """How many rounds were taken."""
        return len(next(iter(self.seconds.values())))

    def ms_per_image(self, network: str) -> float:
        """Median over rounds, in milliseconds."""
        return float(np.median(self.seconds[network])) * 1000 / self.batch_size

    def speedup(self, network: str, over: str) -> Speedup:
        """How many times as fast ``network`` is as ``over``: the ratio is formed round by round."""
        ratios = np.asarray(self.seconds[over]) / np.asarray(self.seconds[network])
        low, median, high = np.quantile(ratios, (0.1, 0.5, 0.9))
        return Speedup(median=float(median), low=float(low), high=float(high))


def time_in_rounds(
    networks: Mapping[str, nn.Module],
    *,
    resolution: int,
    batch_size: int,
    rounds: int,
    seconds: float = math.inf,
    device: torch.device | None = None,
    on_round: Callable[[int, int], None] | None = None,
) -> PairedTimes:
    """Time networks in turn, round after round.

    Args:
        networks: by name; evaluated as they are.
        resolution: pixels a side of the random images.
        batch_size: images a call.
        rounds: paired measurements, at most.
        seconds: take no more rounds than fit into so many seconds, warm-up included, but
            ``LEAST_ROUNDS`` if so many are asked for.
        device: None takes CUDA where there is one.
        on_round: told (rounds done, rounds planned) after the warm-up and after each round.
    """
    before, began = read_clock(), time.perf_counter()
    device = device or best_device()
    images = torch.rand(batch_size, 3, resolution, resolution).to(device, memory_format=torch.channels_last)
    placed = {name: to_device(network, device).eval() for name, network in networks.items()}
    calls = {name: _warm_up(network, images) for name, network in placed.items()}
    names = list(placed)
    taken: dict[str, list[float]] = {name: [] for name in names}
    a_round = sum(call.seconds * (call.repeats + call.is_short) for call in calls.values())
    done, first_round = 0, time.perf_counter()
    while True:
        left = seconds - (time.perf_counter() - began)
        planned = rounds_planned(done, rounds, a_round, left)
        if on_round:
            on_round(done, planned)
        if done == planned:
            break
        for name in names if done % 2 == 0 else names[::-1]:
            if calls[name].is_short:
                _seconds_a_call(placed[name], images, 1)
            taken[name].append(_seconds_a_call(placed[name], images, calls[name].repeats))
        done += 1
        a_round = (time.perf_counter() - first_round) / done
    others = share_of_others(before, read_clock(), len(usable_cores()))
    return PairedTimes({name: tuple(times) for name, times in taken.items()}, batch_size, resolution, others)


def rounds_planned(done: int, asked: int, a_round: float, left: float) -> int:
    """Rounds in all, of those asked for, where one takes ``a_round`` seconds and ``left`` seconds remain."""
    fitting = int(min(max(left, 0.0) / a_round, asked - done))
    return max(done + fitting, min(asked, LEAST_ROUNDS))


def best_device() -> torch.device:
    """CUDA where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class _Call:
    """What the warm-up found: how long a call is, and how many make a measurement."""

    seconds: float
    repeats: int

    @property
    def is_short(self) -> bool:
        """One that is not counted goes before."""
        return self.seconds < SHORT_CALL_SECONDS


def _warm_up(network: nn.Module, images: torch.Tensor) -> _Call:
    """Warm up, on one image first: where a whole batch takes long, it needs no warm-up of its own."""
    _seconds_a_call(network, images[:1], 2)
    seconds = _seconds_a_call(network, images[:1], 1) * len(images)
    long = seconds > LONG_CALL_SECONDS and images.device.type == "cpu"
    if len(images) > 1 and not long:
        _seconds_a_call(network, images, 2)
        seconds = _seconds_a_call(network, images, 1)
    return _Call(seconds, max(1, min(200, round(MEASUREMENT_SECONDS / seconds))))


@torch.inference_mode()
def _seconds_a_call(network: nn.Module, images: torch.Tensor, calls: int) -> float:
    with without_tf32("float32"):
        _settle(images.device)
        started = time.perf_counter()
        for _ in range(calls):
            network(images)
        _settle(images.device)
        return (time.perf_counter() - started) / calls


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
